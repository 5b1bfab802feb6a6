import type { EpochMs } from './epoch.ms.js';

/** A program that jobs bring along, as it is stored. */
export interface StoredBinary {
  /** Of its bytes, 64 hexadecimal digits in lower case: what jobs name it by. */
  sha256: string;
  /** In bytes. */
  size: number;
  storedAt: EpochMs;
  /** When it was said the last time that it is used, about. */
  usedAt: EpochMs;
}

/** The most bytes that one has. */
export const mostBinaryBytes = 16 * 1_048_576;
/** How long one stays that nobody uses and nothing refers to, in ms. */
export const binaryKeptMs = 86_400_000;
/** So much older than now may `usedAt` be of one that is used: who uses it often need not write each time, in ms. */
export const binaryUseMs = binaryKeptMs / 2;

/**
 * Programs by the SHA-256 of their bytes: those of many jobs are stored once, and never changed. One is referred to by each job, run and step of a flow, whatever its state, whose handler is a task (`task:…`) and whose payload has it as `sha256`, and by each
 * definition that has it anywhere.
 *
 * `StorageAdapter.prune` removes, some at a time, what was not used for `binaryKeptMs` and nothing refers to; what something refers to counts as used then.
 */
export interface BinaryStorage {
  /** Stores it where it is not there; it counts as used in any case. Nobody looks whether the bytes have this sum: whoever reads them does. */
  putBinary(sha256: string, bytes: Uint8Array): Promise<StoredBinary>;
  /** It counts as used, so a job that is made now finds it. null: it is not there. */
  useBinary(sha256: string): Promise<StoredBinary | null>;
  /** The bytes, as they were stored; it counts as used. null: it is not there. */
  readBinary(sha256: string): Promise<Uint8Array | null>;
}

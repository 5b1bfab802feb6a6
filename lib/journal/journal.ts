import type { Change, StoredTables } from './change.js';

/** What is written, and all there is where it is easier to write that. */
export interface Batch {
  changes: readonly Change[];
  /** As of these changes; only until the first await. */
  readonly everything: () => Iterable<Change>;
}

/** Where changes go to last. One process has it at a time. */
export interface Journal {
  /** Why some of what was written may be missing, known when it is open; null or absent: nothing says so. */
  readonly doubt?: string | null;
  /** To be called before `open`, which then reads what is there, also while another process has it: it takes hold of nothing, makes nothing and mends nothing. Writes come to nothing. */
  onlyLook(): void;
  /** Takes hold of it, and makes it where there is none. Rejects, having changed nothing, where another process has it (StorageInUseError), and for what cannot be read (StorageDamagedError). */
  open(): Promise<StoredTables>;
  /** Resolves when the changes outlast the end of this process, and of the machine. Rejects when they may not: then `recover` is called before anything else is written. With MaybeStoredError they may be there all the same. */
  write(batch: Batch): Promise<void>;
  /** What is there for certain, after a failed write. Throws while it cannot be said, and where another process has it by now, whose writes are left alone. */
  recover(): StoredTables;
  /** Gives it back, and leaves alone what another process has by now. */
  close(): Promise<void>;
}

/** A write has failed when it may have been done already; the cause is what it failed with. */
export class MaybeStoredError extends Error {
  constructor(cause: unknown) {
    super((cause as Error).message, { cause });
  }
}

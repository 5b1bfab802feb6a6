import type { Change, StoredTables } from './change.js';

/** What is written, and all there is where it is easier to write that. */
export interface Batch {
  changes: readonly Change[];
  /** As of these changes; only until the first await. */
  readonly everything: () => Iterable<Change>;
}

/** Where changes go to last. One process has it at a time. */
export interface Journal {
  /** Takes hold of it, and makes it where there is none. Rejects, having changed nothing, where another process has it (StorageInUseError), and for what cannot be read (StorageDamagedError). */
  open(): Promise<StoredTables>;
  /** Resolves when the changes outlast the end of this process, and of the machine. Rejects when they may not: then `recover` is called before anything else is written. */
  write(batch: Batch): Promise<void>;
  /** What is there for certain, after a failed write. Throws while it cannot be said. */
  recover(): StoredTables;
  close(): Promise<void>;
}

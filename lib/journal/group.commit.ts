import { StorageError, StorageInUseError } from '../model/errors.js';
import { MaybeStoredError, type Journal } from './journal.js';
import type { JournaledTables } from './journaled.tables.js';

interface PendingCommit {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Writes what calls have changed: what is done while a write is under way is written together by the next one. A call that has seen what is not written yet waits for that as well, as it may come to nothing.
 *
 * When a write fails, so do the calls that it was for, and those that came since; the tables are what the disk has.
 */
export class GroupCommit {
  private writing: PendingCommit | null = null;
  private next: PendingCommit | null = null;
  /** Why the tables may not be what the disk has; null: they are. */
  private broken: unknown = null;

  constructor(
    private readonly tables: JournaledTables,
    private readonly journal: Journal,
    private readonly path: string,
  ) {}

  /** Throws StorageError while nobody can say what is stored. */
  assertSound(): void {
    if (this.broken !== null) this.recover();
  }

  /** Resolves when all that is in the tables now is on disk. */
  lasting(): Promise<void> {
    if (!this.tables.hasChanges) return this.writing?.promise ?? Promise.resolve();
    if (this.next === null) {
      this.next = newPendingCommit();
      // What others do in this turn is written with it.
      if (this.writing === null) setImmediate(() => this.write());
    }
    return this.next.promise;
  }

  private write(): void {
    // It may have been dropped by a failure.
    if (this.next === null || this.writing !== null) return;
    const group = this.next;
    this.writing = group;
    this.next = null;
    this.attempt().then(
      () => {
        this.writing = null;
        group.resolve();
        if (this.next !== null) this.write();
      },
      (error: unknown) => this.fail(group, error),
    );
  }

  private async attempt(): Promise<void> {
    const { tables } = this;
    await this.journal.write({ changes: tables.takeChanges(), everything: () => tables.everything() });
  }

  private fail(group: PendingCommit, cause: unknown): void {
    const { next } = this;
    this.writing = null;
    this.next = null;
    this.broken = cause;
    let isUncertain = cause instanceof MaybeStoredError;
    try {
      this.recover();
    } catch {
      // The next call tries again. Until then what was half written may be whole.
      isUncertain ||= !(cause instanceof StorageInUseError);
    }
    group.reject(this.failure(cause, isUncertain));
    next?.reject(this.failure(cause, false));
  }

  private failure(cause: unknown, isUncertain: boolean): StorageError {
    const why = `as ${this.path} cannot be written: ${(cause as Error).message}`;
    if (!isUncertain) return new StorageError(`Nothing of this call was stored, ${why}`, { cause });
    const advice = 'Look whether it is there before you make it again.';
    return new StorageError(`Nobody can say whether this call was stored, ${why} (${advice})`, { cause });
  }

  private recover(): void {
    try {
      this.tables.replaceBy(this.journal.recover());
      this.broken = null;
    } catch (cause) {
      if (cause instanceof StorageInUseError) throw cause;
      const { message } = cause as Error;
      throw new StorageError(`${this.path} cannot be read after a write has failed: ${message}`, { cause });
    }
  }
}

function newPendingCommit(): PendingCommit {
  const group = {} as PendingCommit;
  group.promise = new Promise((resolve, reject) => Object.assign(group, { resolve, reject }));
  return group;
}

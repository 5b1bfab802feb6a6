import { defaultRecordLimit, MemoryStorage, type MemoryStorageOptions } from '../memory/memory.storage.js';
import { unregister } from '../memory/workers.js';
import { StorageDamagedError, StorageError } from '../model/errors.js';
import type { EpochMs } from '../ports/epoch.ms.js';
import { SystemClock } from '../ports/system.clock.js';
import type { StoredTables } from './change.js';
import { GroupCommit } from './group.commit.js';
import type { Journal } from './journal.js';
import { JournaledTables } from './journaled.tables.js';

/** What adapters on the same file have in common. */
interface Opened {
  readonly kind: string;
  readonly path: string;
  readonly journal: Journal;
  readonly tables: JournaledTables;
  readonly commit: GroupCommit;
  /** Null: nobody has opened it yet, or all have closed it. */
  opening: Promise<void> | null;
  /** When the last of them that has closed it is done. */
  closing: Promise<void>;
  users: number;
  onlyLooks: boolean;
}

export type JournaledOptions = Pick<MemoryStorageOptions, 'clock' | 'recordLimit' | 'dataSource'>;

/**
 * Jobs in the memory of this process, and on its disk: each call resolves when what it has done is there. After a start, also after a crash, everything is as the last call left that has resolved; what
 * a dead process had in hands counts as lost, as if its lease had ended.
 */
export class JournaledStorage extends MemoryStorage {
  override readonly kind: string;
  override doubt: string | null = null;
  private isOpen = false;
  /** Null: it is closed, or nobody has opened it. */
  private joining: Promise<void> | null = null;

  private constructor(
    options: JournaledOptions,
    private readonly opened: Opened,
  ) {
    super(options, opened.tables, {
      take: (step, now) => {
        if (!this.isOpen)
          throw new StorageError(`The storage on ${opened.path} is not open: call init() first.`);
        opened.commit.assertSound();
        return opened.tables.take(step, now);
      },
    });
    this.kind = opened.kind;
    // Nobody else's transaction can be part of what is written here.
    (this as { joined?: unknown }).joined = undefined;
  }

  static on(kind: string, path: string, journal: Journal, options: JournaledOptions): JournaledStorage {
    const tables = new JournaledTables(options.recordLimit ?? defaultRecordLimit);
    const commit = new GroupCommit(tables, journal, path);
    const shared = { kind, path, journal, tables, commit, onlyLooks: false };
    return new JournaledStorage(options, { ...shared, opening: null, closing: Promise.resolve(), users: 0 });
  }

  /** Another adapter of this process on the same file. */
  override open(): JournaledStorage {
    return new JournaledStorage(this.options, this.opened);
  }

  /** Of all that have the file open in this process. */
  onlyLook(): void {
    this.opened.journal.onlyLook();
    this.opened.onlyLooks = true;
  }

  /** Throws StorageInUseError, StorageDamagedError, StorageError. */
  override init(): Promise<void> {
    return (this.joining ??= this.join());
  }

  override async close(): Promise<void> {
    await super.close();
    // What is being opened is closed after that.
    await this.joining?.catch(() => undefined);
    if (!this.isOpen) return;
    const { opened } = this;
    this.isOpen = false;
    this.joining = null;
    if (--opened.users > 0) return;
    opened.opening = null;
    const end = this.end();
    opened.closing = end.catch(() => undefined);
    await end;
  }

  protected override lasting(): Promise<void> {
    return this.opened.commit.lasting();
  }

  private async join(): Promise<void> {
    const { opened } = this;
    try {
      await (opened.opening ??= this.begin());
    } catch (error) {
      this.joining = null;
      throw error;
    }
    this.doubt = opened.journal.doubt ?? null;
    opened.users++;
    this.isOpen = true;
  }

  private async end(): Promise<void> {
    const { commit, journal } = this.opened;
    try {
      await commit.lasting();
    } finally {
      await journal.close();
    }
  }

  private async begin(): Promise<void> {
    const { opened } = this;
    await opened.closing;
    try {
      restore(opened.tables, await opened.journal.open(), opened.path);
      // Who is looked at may live.
      if (!opened.onlyLooks) endLeases(opened.tables, (this.options.clock ?? new SystemClock()).now());
      await opened.commit.lasting();
    } catch (error) {
      opened.opening = null;
      await opened.journal.close();
      throw error;
    }
  }
}

function restore(tables: JournaledTables, stored: StoredTables, path: string): void {
  try {
    tables.replaceBy(stored);
  } catch (cause) {
    const problem = `has rows that do not belong together: ${(cause as Error).message} It was left as it is; mend it, or put back a copy.`;
    throw new StorageDamagedError(path, problem, { cause });
  }
}

/** Whoever had leases and locks here is gone: only one process can have the file. */
function endLeases(tables: JournaledTables, now: EpochMs): void {
  for (const { id, leaseUntil } of tables.workers.values()) {
    if (leaseUntil > now) unregister(tables, now, id);
  }
  for (const [key, lock] of tables.locks) {
    if (lock.owner !== null) tables.locks.set(key, { ...lock, owner: null });
  }
}

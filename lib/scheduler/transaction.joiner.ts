import { AsyncLocalStorage } from 'node:async_hooks';
import { InvalidOptionError, TransactionNotSupportedError } from '../model/errors.js';
import type { JoinableTransaction } from '../ports/run.transaction.js';
import type { JobStore, StorageAdapter } from '../ports/storage.adapter.js';
import type { Wake } from '../ports/wake.signal.js';
import { onlyManager, type JobAccess, type ManagerOption } from './job.access.js';
import { JobInserter } from './job.inserter.js';
import type { StorageNow } from './storage.now.js';

/** What is to be woken. */
interface Wakeable {
  wake(wake?: Wake): void;
  wakeAfterCommit(wake: Wake): void;
}

/** Finds out whether a call is part of a transaction of its caller, and gives it the access to the stored jobs that fits. */
export class TransactionJoiner {
  private readonly current = new AsyncLocalStorage<JoinableTransaction | null>();
  private readonly alone: JobAccess;

  constructor(
    private readonly storage: StorageAdapter,
    private readonly engine: Wakeable,
    /** The module's; null: there is none. */
    private readonly context: (() => JoinableTransaction | null | undefined) | null,
    private readonly time: StorageNow,
  ) {
    this.alone = accessTo(storage, time, false, (wake) => engine.wake(wake));
  }

  /** All calls within `work` are part of this transaction; null: of none. */
  within<T>(manager: JoinableTransaction | null, work: () => T): T {
    return this.current.run(manager, work);
  }

  /** Throws TransactionNotSupportedError, InvalidOptionError (manager). */
  async access(options: ManagerOption): Promise<JobAccess> {
    // Whether these are options at all is for the call to check.
    const { manager } = options ?? {};
    const given = manager === undefined ? this.current.getStore() : manager;
    if (given === null) return this.alone;
    if (given !== undefined) return (await this.join(given)) ?? refuseIdle();
    const found = this.context?.() ?? null;
    // Between transactions libraries give a manager too.
    return found === null ? this.alone : ((await this.join(found)) ?? this.alone);
  }

  /** The same where a call takes no other options than this one. */
  async accessOf(options: ManagerOption, call: string): Promise<JobAccess> {
    return this.access(onlyManager(options, call));
  }

  /** For what cannot be part of one, as it is done in many: never outside of it in silence. Throws TransactionNotSupportedError. */
  async refuse(call: string): Promise<void> {
    const { isJoined } = await this.access({});
    if (!isJoined) return;
    throw new TransactionNotSupportedError(
      call,
      'it is done in transactions of its own, and cannot be part of one of yours. Make it outside, before or after that, or in it by scheduler.withTransaction(null, …), which is not rolled back with it.',
    );
  }

  /** Null: the manager is in no transaction. */
  private async join(manager: JoinableTransaction): Promise<JobAccess | null> {
    const { storage, engine, time } = this;
    if (storage.joined === undefined) {
      throw new TransactionNotSupportedError(
        'manager',
        `the storage "${storage.kind}" has no transactions to be part of. Use typeOrmStorage(), or make the call without one.`,
      );
    }
    const jobs = await storage.joined(manager);
    return jobs && accessTo(jobs, time, true, (wake = { kind: 'change' }) => engine.wakeAfterCommit(wake));
  }
}

/** With an inserter of its own: callers within one transaction share no statement with others. */
function accessTo(
  jobs: JobStore,
  time: StorageNow,
  isJoined: boolean,
  changed: JobAccess['changed'],
): JobAccess {
  const inserter = new JobInserter(jobs, time);
  return {
    jobs,
    isJoined,
    insert: (job, onConflict) => inserter.insert(job, onConflict),
    insertAll: (insertions) => inserter.insertAll(insertions),
    changed,
  };
}

function refuseIdle(): never {
  throw new InvalidOptionError(
    'manager',
    'is not inside a transaction, or its transaction is over. Give the one that dataSource.transaction((manager) => …) passes; of pg a client after "begin", no pool; of another library executorOf(tx), as docs/guides/transactions.md has it. Await the call in there; to make it outside of any transaction leave the option out.',
  );
}

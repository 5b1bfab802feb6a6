import { AuditNotSupportedError, InvalidOptionError, TransactionNotSupportedError } from '../model/errors.js';
import type { Actor } from '../model/audit.js';
import { CallScope } from '../ports/call.scope.js';
import type { JoinableTransaction } from '../ports/run.transaction.js';
import type { AuditedFlowStore, JobStore, StorageAdapter } from '../ports/storage.adapter.js';
import type { Wake } from '../ports/wake.signal.js';
import { auditedStore, type AuditedCall, type Signature } from './audited.store.js';
import { onlyManager, type JobAccess, type ManagerOption } from './job.access.js';
import { JobInserter } from './job.inserter.js';
import { knownOptions, lineOfText } from './option.checks.js';
import type { StorageNow } from './storage.now.js';

/** What is to be woken. */
interface Wakeable {
  wake(wake?: Wake): void;
  wakeAfterCommit(wake: Wake): void;
}

/** Finds out whether a call is part of a transaction of its caller, and gives it the access to the stored jobs that fits. */
export class TransactionJoiner {
  private readonly current = new CallScope<JoinableTransaction | null>();
  private readonly alone: JobAccess;
  private readonly actors = new CallScope<Signature | null>();

  constructor(
    private readonly storage: StorageAdapter,
    private readonly engine: Wakeable,
    /** The module's; null: there is none. */
    private readonly context: (() => JoinableTransaction | null | undefined) | null,
    private readonly time: StorageNow,
  ) {
    this.alone = accessTo(storage, time, false, (wake) => engine.wake(wake));
  }

  get storageKind(): string {
    return this.storage.kind;
  }

  /** All calls within `work` are part of this transaction; null: of none. */
  within<T>(manager: JoinableTransaction | null, work: () => T): T {
    return this.current.run(manager, work);
  }

  /** What all calls within `work` do is put on record as asked for by the actor; null: by nobody. Throws InvalidOptionError. */
  inNameOf<T>(actor: Actor | null, work: () => T): T {
    return this.actors.run(actor === null ? null : signatureOf(actor), work);
  }

  /** `call`: what of it is told to the record, where there is an actor. Throws TransactionNotSupportedError, InvalidOptionError (manager), AuditNotSupportedError. */
  async access(options: ManagerOption, call?: () => AuditedCall): Promise<JobAccess> {
    const access = await this.accessBy(options);
    const signature = this.actors.get() ?? null;
    if (signature === null) return access;
    if (access.jobs.audited === undefined) throw new AuditNotSupportedError(this.storage.kind);
    const audited = call?.() ?? {};
    if (signature.request && audited.batch !== undefined) throw manyWithKey();
    const jobs = auditedStore(access.jobs, signature, audited);
    return accessTo(jobs, this.time, access.isJoined, access.changed);
  }

  /** What is done to workflows outside of transactions of callers. Undefined: the storage has none. */
  async flows(call: () => AuditedCall): Promise<AuditedFlowStore | undefined> {
    if ((this.actors.get() ?? null) === null) return this.storage.flows;
    return (await this.access({ manager: null }, call)).jobs.flows as AuditedFlowStore | undefined;
  }

  private async accessBy(options: ManagerOption): Promise<JobAccess> {
    // Whether these are options at all is for the call to check.
    const { manager } = options ?? {};
    const given = manager === undefined ? this.current.get() : manager;
    if (given === null) return this.alone;
    if (given !== undefined) return (await this.join(given)) ?? refuseIdle();
    const found = this.context?.() ?? null;
    // Between transactions libraries give a manager too.
    return found === null ? this.alone : ((await this.join(found)) ?? this.alone);
  }

  /** The same where a call takes no other options than this one. */
  async accessOf(options: ManagerOption, call: string, audited?: () => AuditedCall): Promise<JobAccess> {
    return this.access(onlyManager(options, call), audited);
  }

  /** For what cannot be part of one, as it is done in many: never outside of it in silence. Throws TransactionNotSupportedError. */
  async refuse(call: string): Promise<void> {
    const { isJoined } = await this.accessBy({});
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

function signatureOf(actor: Actor): Signature {
  const { by, note, requestId, requestKey, requestDigest } = knownOptions(
    actor,
    ['by', 'note', 'requestId', 'requestKey', 'requestDigest'],
    'the actor of withActor()',
  );
  if (requestKey === undefined && requestDigest !== undefined)
    throw new InvalidOptionError('requestDigest', 'is kept with a requestKey. Give that as well.');
  return {
    actor: lineOfText(by, 'by'),
    note: note === undefined ? null : lineOfText(note, 'note', 500),
    requestId: requestId === undefined ? null : lineOfText(requestId, 'requestId'),
    request:
      requestKey === undefined
        ? null
        : {
            key: lineOfText(requestKey, 'requestKey'),
            digest: requestDigest === undefined ? null : lineOfText(requestDigest, 'requestDigest'),
          },
  };
}

/** Half of the steps may be done when it is sent again. */
function manyWithKey(): InvalidOptionError {
  return new InvalidOptionError(
    'requestKey',
    'is for one change, and this call changes many in several steps. Leave it out: what is done already is passed over when the call is made again.',
  );
}

import type { AuditEntry } from './audit.js';
import { ChronisError } from './chronis.error.js';

/** `start()` was called on a scheduler that runs. @publicApi */
export class SchedulerRunningError extends ChronisError {
  constructor() {
    super(
      'CHRONIS_SCHEDULER_RUNNING',
      'The scheduler is running already; start() may be called again after stop().',
    );
  }
}

/** `stop()` was called on a scheduler that does not run. @publicApi */
export class SchedulerStoppedError extends ChronisError {
  constructor() {
    super('CHRONIS_SCHEDULER_STOPPED', 'The scheduler is not running; there is nothing to stop.');
  }
}

/** The storage cannot be used: not reachable, wrong schema version, missing driver. `cause` has the original. @publicApi */
export class StorageError extends ChronisError {
  constructor(message: string, options?: { cause?: unknown }, code = 'CHRONIS_STORAGE') {
    super(code, message, options);
  }
}

/** Another process has the file of a storage that only one process can have at a time. The message names it. @publicApi */
export class StorageInUseError extends StorageError {
  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path} ${problem}`, {}, 'CHRONIS_STORAGE_IN_USE');
  }
}

/** The file of a storage is not what this package has written: it is left as it is. The message says where. @publicApi */
export class StorageDamagedError extends StorageError {
  constructor(
    readonly path: string,
    problem: string,
    options?: { cause?: unknown },
  ) {
    super(`${path} ${problem}`, options, 'CHRONIS_STORAGE_DAMAGED');
  }
}

/**
 * A call has waited until its deadline, mostly since somebody has locked what it needs, and another try may succeed. Mostly nothing was done; where only the answer was late, it may
 * have been. A start tries again for a while where it meets this, and gives up where it meets any other error.
 * @publicApi
 */
export class StorageBusyError extends StorageError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options, 'CHRONIS_STORAGE_BUSY');
  }
}

/** Tests empty the tables that they have made, and an application uses the same ones, or the other way round. @publicApi */
export class TestTablesError extends ChronisError {
  constructor(message: string) {
    super('CHRONIS_TEST_TABLES', message);
  }
}

/** A lock could not be had in time. @publicApi */
export class LockTimeoutError extends ChronisError {
  constructor(key: string, waitedMs: number) {
    super(
      'CHRONIS_LOCK_TIMEOUT',
      `The lock "${key}" was held by others for ${waitedMs} ms. Its holder may be working, or dead until its lease ends.`,
    );
  }
}

/** The storage cannot put on record who has asked for something: its adapter is older, or lacks it. @publicApi */
export class AuditNotSupportedError extends ChronisError {
  constructor(readonly storage: string) {
    super(
      'CHRONIS_AUDIT_NOT_SUPPORTED',
      `The storage "${storage}" keeps no record of who has asked for what: its adapter lacks "audited" and "queryAudit". Make the call outside of withActor(), or use a storage that keeps one.`,
    );
  }
}

/** This actor has had a change made with this `requestKey` before, so nothing was done. @publicApi */
export class RequestRepeatedError extends ChronisError {
  constructor(
    /** Of the change that was made: `request` has what it came to. */
    readonly entry: AuditEntry,
  ) {
    super(
      'CHRONIS_REQUEST_REPEATED',
      `"${entry.actor}" has sent the request key ${JSON.stringify(entry.request?.key)} before: "${entry.action}" was done at ${entry.at.toISOString()}, and nothing was done now. The entry of that is the answer; where another change is meant, give it a key of its own.`,
    );
  }
}

/** The storage has no transactions to share, or the transaction is on another database, or at an isolation level that does not do. @publicApi */
export class TransactionNotSupportedError extends ChronisError {
  constructor(
    /** What needs the transaction: `ctx.transaction()`, `ctx.step.transaction()` or `manager`; or the call that cannot be part of one, such as `workflows.prune()`. */
    readonly call: string,
    readonly problem: string,
    options?: { cause?: unknown },
  ) {
    super('CHRONIS_TRANSACTION_NOT_SUPPORTED', `${call}: ${problem}`, options);
  }
}

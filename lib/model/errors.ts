import { issuesText, type PayloadIssue } from './payload.schema.js';
import type { DurationInput } from './trigger.js';

/** Base of everything Chronis throws. `code` is stable; messages may improve. @publicApi */
export class ChronisError extends Error {
  constructor(
    /** Stable, e.g. `CHRONIS_JOB_NOT_FOUND`; listed in docs/reference/errors.md. */
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An option of the module, a decorator or a call is wrong. The message names the option and the fix. @publicApi */
export class InvalidOptionError extends ChronisError {
  constructor(
    readonly option: string,
    problem: string,
  ) {
    super('CHRONIS_INVALID_OPTION', `${option}: ${problem}`);
  }
}

/** No job has this id in this namespace. @publicApi */
export class JobNotFoundError extends ChronisError {
  constructor(
    readonly jobId: string,
    readonly namespace: string,
  ) {
    super(
      'CHRONIS_JOB_NOT_FOUND',
      `There is no job "${jobId}" in the namespace "${namespace}". It may have been deleted, or be finished: a one-off is only kept as a job for as long as \`keep\` says.`,
    );
  }
}

/** The id is taken in this namespace. @publicApi */
export class JobAlreadyExistsError extends ChronisError {
  constructor(
    readonly jobId: string,
    readonly namespace: string,
  ) {
    super(
      'CHRONIS_JOB_ALREADY_EXISTS',
      `A job "${jobId}" already exists in the namespace "${namespace}". Choose another id, delete or update the existing job, or create it with onConflict: 'ignore' or 'replace'.`,
    );
  }
}

/** No stored run has this id: there never was one, or it is finished. @publicApi */
export class RunNotFoundError extends ChronisError {
  constructor(readonly runId: string) {
    super(
      'CHRONIS_RUN_NOT_FOUND',
      `There is no run "${runId}". Runs that succeeded or were retried or discarded are not stored any more; getAttempts({ runId }) shows what became of them, unless their job says keep: 'none'.`,
    );
  }
}

/** The run had no verdict yet when the time was over; it goes on. @publicApi */
export class RunWaitTimeoutError extends ChronisError {
  constructor(
    readonly runId: string,
    readonly timeoutMs: number,
  ) {
    super(
      'CHRONIS_RUN_WAIT_TIMEOUT',
      `The run "${runId}" has no verdict after ${timeoutMs} ms. It is not touched by this: wait again, or cancel it with cancelRun().`,
    );
  }
}

/** Only runs that gave up can be retried or discarded. @publicApi */
export class RunNotFailedError extends ChronisError {
  constructor(
    readonly runId: string,
    readonly state: string,
  ) {
    super(
      'CHRONIS_RUN_NOT_FAILED',
      `The run "${runId}" is ${state}: only runs that failed, timed out or were lost can be retried or discarded. To end one that has no verdict yet, cancel it.`,
    );
  }
}

/** The job was changed by somebody else since it was read. @publicApi */
export class StaleJobError extends ChronisError {
  constructor(
    readonly jobId: string,
    readonly namespace: string,
  ) {
    super(
      'CHRONIS_STALE_JOB',
      `The job "${jobId}" in the namespace "${namespace}" was changed by somebody else. Read it again and repeat the change.`,
    );
  }
}

/** A declaration in the code wants an id that belongs to a job of another origin. @publicApi */
export class JobIdTakenError extends ChronisError {
  constructor(
    readonly jobId: string,
    readonly namespace: string,
    place: string,
    holder: string,
  ) {
    super(
      'CHRONIS_JOB_ID_TAKEN',
      `${place} declares the job "${jobId}" in the namespace "${namespace}", but this id belongs to a job ${holder}. Give the declaration another id or namespace, or delete the other job.`,
    );
  }
}

/** A job id is empty, too long or holds characters that cannot be stored. @publicApi */
export class InvalidJobIdError extends ChronisError {
  constructor(problem: string, code = 'CHRONIS_INVALID_JOB_ID') {
    super(code, problem);
  }
}

/** A job id was given and is empty. @publicApi */
export class EmptyJobIdError extends InvalidJobIdError {
  constructor() {
    super(
      'The job id is empty. Give a non-empty string, or leave the id out to have one generated.',
      'CHRONIS_EMPTY_JOB_ID',
    );
  }
}

/** Two declarations in the code claim one id. @publicApi */
export class DuplicateJobError extends ChronisError {
  constructor(
    readonly jobId: string,
    first: string,
    second: string,
  ) {
    super(
      'CHRONIS_DUPLICATE_JOB',
      first === second
        ? `The method ${first} declares the job "${jobId}" twice. Give one of its decorators another id: { id: '…' }.`
        : `Two methods declare the job "${jobId}": ${first} and ${second}. Give one of them another id: { id: '…' }.`,
    );
  }
}

/** Two handlers were registered under one name. @publicApi */
export class DuplicateHandlerError extends ChronisError {
  constructor(
    readonly handler: string,
    first: string,
    second: string,
  ) {
    super(
      'CHRONIS_DUPLICATE_HANDLER',
      `Two handlers are registered as "${handler}": ${first} and ${second}. Give one of them another name, for a method by @JobHandler('…').`,
    );
  }
}

/** Neither this process nor a live worker knows the handler. @publicApi */
export class HandlerNotFoundError extends ChronisError {
  constructor(
    readonly handler: string,
    known: readonly string[],
  ) {
    super(
      'CHRONIS_HANDLER_NOT_FOUND',
      `No handler "${handler}" is known here or to any live worker. ${
        known.length > 0 ? `Known: ${known.slice(0, 10).join(', ')}${known.length > 10 ? ', …' : ''}. ` : ''
      }Declare it with @JobHandler('${handler}'), register it with registerHandler(), or pass { allowUnknownHandler: true } if the process that has it starts later.`,
    );
  }
}

/** What was given as a handler cannot be called. @publicApi */
export class InvalidHandlerError extends ChronisError {
  constructor(handler: string, given: unknown) {
    super(
      'CHRONIS_INVALID_HANDLER',
      `The handler "${handler}" must be a function, but is ${given === null ? 'null' : typeof given}.`,
    );
  }
}

/** A payload or metadata is not JSON, holds a NUL character, is over the limit, or does not fit its schema. @publicApi */
export class InvalidPayloadError extends ChronisError {
  constructor(
    what: string,
    problem: string,
    /** What the schema objects to; empty: something else is wrong. */
    readonly issues: readonly PayloadIssue[] = [],
  ) {
    super('CHRONIS_INVALID_PAYLOAD', `${what}: ${problem}`);
  }
}

/** Why a schedule was refused. @publicApi */
export type ScheduleErrorReason =
  | 'empty'
  | 'field-count'
  | 'out-of-range'
  | 'bad-name'
  | 'bad-step'
  | 'reversed-range'
  | 'bad-special'
  | 'never-fires'
  | 'past-date'
  | 'bad-zone'
  | 'bad-duration'
  | 'unknown-key'
  | 'ambiguous';

/** A cron expression, interval, delay, date or time zone is not valid. @publicApi */
export class InvalidScheduleError extends ChronisError {
  /** What was given, shortened to 200 characters. */
  readonly input: string;
  /** The field of the schedule, such as `minute`, `every` or `timeZone`; null: the whole. */
  readonly field: string | null;
  readonly reason: ScheduleErrorReason;
  /** Offset in the text where the problem begins; null where there is no text. */
  readonly position: number | null;
  /** How to mend it; null where there is nothing to add. */
  readonly hint: string | null;

  constructor(detail: {
    input: string;
    reason: ScheduleErrorReason;
    message: string;
    field?: string | null;
    position?: number | null;
    hint?: string | null;
  }) {
    super('CHRONIS_INVALID_SCHEDULE', detail.hint ? `${detail.message} ${detail.hint}` : detail.message);
    this.input = detail.input.length > 200 ? `${detail.input.slice(0, 199)}…` : detail.input;
    this.field = detail.field ?? null;
    this.reason = detail.reason;
    this.position = detail.position ?? null;
    this.hint = detail.hint ?? null;
  }
}

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
  constructor(message: string, options?: ErrorOptions) {
    super('CHRONIS_STORAGE', message, options);
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

/** Thrown by a handler: the run has failed, whatever retries it has left. @publicApi */
export class UnrecoverableError extends ChronisError {
  constructor(message: string, options?: ErrorOptions, code = 'CHRONIS_UNRECOVERABLE') {
    super(code, message, options);
  }
}

/** The stored payload does not fit the schema of the handler (any more): the run has failed, and the handler was not called. @publicApi */
export class PayloadMismatchError extends UnrecoverableError {
  constructor(
    readonly jobId: string,
    readonly handler: string,
    readonly issues: readonly PayloadIssue[],
  ) {
    super(
      `The stored payload of the job "${jobId}" does not fit the schema of the handler "${handler}": ${issuesText(issues)}. Update the job's payload or let the schema accept it, then retry the run.`,
      undefined,
      'CHRONIS_PAYLOAD_MISMATCH',
    );
  }
}

/**
 * Thrown by a handler: the next retry, if there is one left, is due after this delay instead of the job's backoff: milliseconds, or text
 * such as '90s'; 0: at once. @publicApi
 */
export class RetryAfterError extends ChronisError {
  constructor(
    readonly delay: DurationInput,
    message?: string,
    options?: ErrorOptions,
  ) {
    super('CHRONIS_RETRY_AFTER', message ?? `To be tried again after ${JSON.stringify(delay)}.`, options);
  }
}

/** Why a handler was told to stop. @publicApi */
export type AbortCause = 'timeout' | 'cancel' | 'shutdown' | 'lease-lost';

const abortSentences: Record<AbortCause, string> = {
  timeout: 'The run took longer than its timeout allows.',
  cancel: 'The run was cancelled.',
  shutdown:
    'The process shuts down and the time to finish is over; the run will be executed again by another worker.',
  'lease-lost': 'The worker lost its lease: the run may be executed by another worker already.',
};

/** The reason of a handler's `AbortSignal`. @publicApi */
export class RunAbortedError extends ChronisError {
  constructor(readonly abortCause: AbortCause) {
    super('CHRONIS_RUN_ABORTED', abortSentences[abortCause]);
  }
}

/** The storage has no transactions to share, or the transaction is on another database, or at an isolation level that does not do. @publicApi */
export class TransactionNotSupportedError extends ChronisError {
  constructor(call: 'ctx.transaction()' | 'manager', problem: string, options?: ErrorOptions) {
    super('CHRONIS_TRANSACTION_NOT_SUPPORTED', `${call}: ${problem}`, options);
  }
}

/** The run belongs to another worker by now, or has its verdict: nothing of the transaction was committed. @publicApi */
export class ClaimLostError extends ChronisError {
  constructor(readonly runId: string) {
    super(
      'CHRONIS_CLAIM_LOST',
      `The run ${runId} is not this attempt's any more, so its transaction was rolled back. Others may execute it; stop working on it.`,
    );
  }
}

/** `ctx.transaction()` was called again, or after the attempt had ended. @publicApi */
export class RunSettledError extends ChronisError {
  constructor(readonly runId: string) {
    super(
      'CHRONIS_RUN_SETTLED',
      `The attempt of run ${runId} has ended: ctx.transaction() commits the verdict of the run, so only one of them can. Put all writes into one transaction.`,
    );
  }
}

import { ChronisError } from './chronis.error.js';
import { issuesText, type PayloadIssue } from './payload.schema.js';
import type { DurationInput } from './trigger.js';
import type { RunVerdict } from './verdict.js';
import { taskTypeOf } from './task.js';

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

/** The run has no verdict yet, and does not wait for one from outside. @publicApi */
export class RunNotOpenError extends ChronisError {
  constructor(
    readonly runId: string,
    readonly state: string,
  ) {
    super(
      'CHRONIS_RUN_NOT_OPEN',
      `The run "${runId}" is ${state}: only an open run can be completed or failed from outside. Its handler opens it by \`return context.open()\`, and it is open once that is stored: while it still runs, try again in a moment. To end it whatever it does, cancel it with cancelRun().`,
    );
  }
}

/** The run has its verdict already: by another call, by its deadline, or by a cancel. Nothing was changed. @publicApi */
export class RunHasVerdictError extends ChronisError {
  constructor(
    readonly runId: string,
    readonly verdict: RunVerdict,
    readonly finishedAt: Date,
    /** How what it was for can be tried again. */
    retry = 'a run that gave up can be retried with retryRun()',
  ) {
    super(
      'CHRONIS_RUN_HAS_VERDICT',
      `The run "${runId}" is ${verdict} since ${finishedAt.toISOString()}, and a verdict is never changed. A call that is only repeated may take this for its success where error.verdict is what it wanted; ${retry}.`,
    );
  }
}

/** Why an open run is `timed_out`: nobody gave it a verdict until its deadline. @publicApi */
export class OpenDeadlineError extends ChronisError {
  constructor(readonly runId: string) {
    super(
      'CHRONIS_OPEN_DEADLINE',
      `The run "${runId}" was open, and nobody has completed or failed it until its deadline.`,
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

/** Thrown by a handler: the run has failed, whatever retries it has left. @publicApi */
export class UnrecoverableError extends ChronisError {
  constructor(message: string, options?: { cause?: unknown }, code = 'CHRONIS_UNRECOVERABLE') {
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
    const type = taskTypeOf(handler);
    super(
      type === null
        ? `The stored payload of the job "${jobId}" does not fit the schema of the handler "${handler}": ${issuesText(issues)}. Update the job's payload or let the schema accept it, then retry the run.`
        : `The stored task of the job "${jobId}" does not fit the schema of the type "${type}": ${issuesText(issues, 'task')}. Update the job's task or let the schema accept it, then retry the run.`,
      undefined,
      'CHRONIS_PAYLOAD_MISMATCH',
    );
  }
}

/**
 * Thrown by a handler: the next retry, if there is one left, is due after this delay instead of the job's backoff: milliseconds, or text
 * such as '90s'; 0: at once. With a delay that is none the job's backoff counts, and the event `retry-rule.failed` tells: the error, with its
 * cause, is still the one on record. @publicApi
 */
export class RetryAfterError extends ChronisError {
  constructor(
    readonly delay: DurationInput,
    message?: string,
    options?: { cause?: unknown },
  ) {
    super(
      'CHRONIS_RETRY_AFTER',
      message ?? `To be tried again after ${typeof delay === 'number' ? delay : JSON.stringify(delay)}.`,
      options,
    );
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

/** The run belongs to another worker by now, or has its verdict: nothing of the transaction was committed, and the end of the step not kept. @publicApi */
export class ClaimLostError extends ChronisError {
  constructor(readonly runId: string) {
    super(
      'CHRONIS_CLAIM_LOST',
      `The run ${runId} is not this attempt's any more, so its transaction was rolled back, or the end of its step not kept: another worker may execute it, or it has its verdict, as after a timeout. Stop working on it.`,
    );
  }
}

/** A step of an earlier attempt is not where the code has it now: its order, or its name, has changed. @publicApi */
export class DurableStepMismatchError extends ChronisError {
  constructor(
    readonly runId: string,
    readonly step: string,
    /** Which step of the run it would be, from 1; null: that is not known, but it was of another kind. */
    readonly position: number | null,
    /** What was there in an earlier attempt; null: this one was elsewhere. Without a position: of which kind it was. */
    readonly earlier: string | null,
  ) {
    const then = earlier === null ? 'stood elsewhere' : `was ${JSON.stringify(earlier)}`;
    const place = position === null ? '' : ` as number ${position}`;
    super(
      'CHRONIS_DURABLE_STEP_MISMATCH',
      `The run ${runId} has come to the step ${JSON.stringify(step)}${place}, which in an earlier attempt ${then}. An attempt has to come to the same steps in the same order as those before it: give what has changed a new name and put it behind, or let the runs that have begun come to their end by the code that they began with.`,
    );
  }
}

/** A step has ended, and what it returned cannot be kept: the run has failed, and is not tried again, as the step would be done once more. @publicApi */
export class StepResultError extends UnrecoverableError {
  constructor(
    readonly runId: string,
    readonly step: string,
    problem: string,
  ) {
    super(
      `The result of the step ${JSON.stringify(step)} of run ${runId} cannot be kept: ${problem}`,
      undefined,
      'CHRONIS_STEP_RESULT',
    );
  }
}

/** A try of a step took longer than its `timeout`; `cause`: what it has thrown thereupon. @publicApi */
export class StepTimeoutError extends ChronisError {
  constructor(
    readonly runId: string,
    readonly step: string,
    readonly timeoutMs: number,
  ) {
    super(
      'CHRONIS_STEP_TIMEOUT',
      `The step ${JSON.stringify(step)} of run ${runId} has not ended after ${timeoutMs} ms. Give it more time, or let its work end by the signal that it gets.`,
    );
  }
}

/** No signal came in time. An attempt that comes here again has the same error. @publicApi */
export class SignalTimeoutError extends ChronisError {
  constructor(
    readonly runId: string,
    readonly signal: string,
    /** When the time was over, in milliseconds since 1970. */
    readonly timedOutAt: number,
  ) {
    super(
      'CHRONIS_SIGNAL_TIMEOUT',
      `The run ${runId} has waited for the signal ${JSON.stringify(signal)} until ${new Date(timedOutAt).toISOString()}, and none was sent. Catch this where the run is to go on without it; a later signal is for the next wait of this name.`,
    );
  }
}

/** So many signals of the run wait to be taken that it gets no further one. @publicApi */
export class TooManySignalsError extends ChronisError {
  constructor(
    readonly runId: string,
    readonly signal: string,
    readonly limit: number,
  ) {
    super(
      'CHRONIS_TOO_MANY_SIGNALS',
      `The run ${runId} gets no signal ${JSON.stringify(signal)}: ${limit} signals of it wait to be taken by waitFor(). Wait for them in its handler, or send one with all that they say.`,
    );
  }
}

/** `ctx.transaction()` was called again, or it, `ctx.open()` or `ctx.step()` after the attempt had its outcome. @publicApi */
export class RunSettledError extends ChronisError {
  constructor(readonly runId: string) {
    super(
      'CHRONIS_RUN_SETTLED',
      `The attempt of run ${runId} has ended: ctx.transaction() commits its outcome, so only one of them can, and nothing comes after it. Put all writes, and ctx.open(), into one transaction, and steps before it.`,
    );
  }
}

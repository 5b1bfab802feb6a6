import { isDeferred, workOff } from '../model/deferred.work.js';
import { PayloadMismatchError } from '../model/errors.js';
import { policyOf } from '../model/policies.js';
import type { ClaimedRun } from '../model/run.js';
import { isA, isThenable, outcomeOf } from '../model/thrown.js';
import { AttemptContext } from './attempt.context.js';
import { AttemptLog } from './attempt.log.js';
import type { AttemptParts } from './attempt.parts.js';
import { currentRuns } from './current.run.js';
import type { Handler } from './handler.registry.js';
import { checkPayload } from './payload.check.js';
import type { RunningRun } from './running.run.js';
import { StepAttemptContext } from './step.attempt.context.js';

/** Calls the handler of the attempt, which is told by `returned` or `threw` what has come of it, once. */
export function callHandler(running: RunningRun, parts: AttemptParts): void {
  const { code, run } = running;
  if (code.schema === null) return callWith(running, parts, run.payload);
  void outcomeOf(
    checkedPayload(running, code, run),
    (error) => running.threw(error),
    ({ payload }) => callWith(running, parts, payload),
  );
}

/** The context is not kept: with thousands of runs in hands, what lives longer is what the garbage collector copies. */
function callWith(running: RunningRun, parts: AttemptParts, payload: unknown): void {
  let context: AttemptContext;
  let value: unknown;
  try {
    const { run } = running;
    const logger = new AttemptLog(
      run,
      parts.logger(run.handler),
      hasRecord(run) ? parts.logs : null,
      parts.redactor,
    );
    running.logged = logger;
    context =
      run.flowStep === undefined
        ? new AttemptContext(running, logger, payload)
        : new StepAttemptContext(running, logger, payload, run.flowStep, parts);
    value = running.code.run(context);
    if (isQuery(value)) value = workOffWithin(context, value);
  } catch (error) {
    return running.threw(error);
  }
  const mayBePromise = (typeof value === 'object' && value !== null) || typeof value === 'function';
  if (!mayBePromise) return running.returned(value);
  void outcomeOf(
    value,
    (error) => running.threw(error),
    (result) => concluded(running, result, context),
  );
}

/** Else nothing of it is kept, neither in the ledger nor in its log. */
function hasRecord({ policies }: ClaimedRun): boolean {
  return policyOf(policies, 'keepMs') !== 'none';
}

/** An Observable or an iterator is the handler's work as well: it goes on until that has ended. */
function concluded(running: RunningRun, value: unknown, context: AttemptContext): void {
  if (!isDeferred(value)) return running.returned(value);
  void outcomeOf(
    workOffWithin(context, value),
    (error) => running.threw(error),
    (result) => running.returned(result),
  );
}

/** With the payload as the schema of the handler gives it; what was right when the job was made may be wrong for the code of today. */
async function checkedPayload(
  running: RunningRun,
  { name, schema }: Handler,
  { jobId, payload }: ClaimedRun,
): Promise<{ payload: unknown }> {
  const checked = await checkPayload(schema!, payload);
  if (running.isAborted) running.signal.throwIfAborted();
  if (checked.issues === null) return { payload: checked.value };
  throw new PayloadMismatchError(jobId, name, checked.issues);
}

/** Within the run, as it may begin only now. */
function workOffWithin(context: AttemptContext, value: unknown): Promise<unknown> {
  return currentRuns.run(context, workOff, value, context);
}

/** Like a promise, but none of the platform: queries of many libraries begin when somebody waits for them. */
function isQuery(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !isA(value, Promise) && isThenable(value);
}

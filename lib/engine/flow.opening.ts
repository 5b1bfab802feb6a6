import { OpenDeadlineError } from '../model/run.errors.js';
import type { RetryRules } from '../model/retry.rules.js';
import type { NewFlow } from '../ports/flows.js';
import { AttemptContext } from './attempt.context.js';
import type { RunContext } from './run.context.js';

/** Leaves the run open as a workflow when its handler returns. Its deadline is the timeout of the run, else `timeoutMs`; null: none. `context` is the one that the handler was called with. */
export function openFlow(context: RunContext, flow: NewFlow, timeoutMs: number | null): void {
  AttemptContext.openFlow(context as AttemptContext, flow, timeoutMs);
}

/** Of what opens a workflow: one that has timed out as a whole is over, as its steps are, whatever its job says of retries. It would begin anew under the same id. */
export const openingRules: RetryRules = { retryIf: (error) => !(error instanceof OpenDeadlineError) };

/** Whether a handler with these rules opens workflows. */
export function opensFlows({ retryIf }: RetryRules): boolean {
  return retryIf === openingRules.retryIf;
}

import type { NewFlow } from '../ports/flows.js';
import { AttemptContext } from './attempt.context.js';
import type { RunContext } from './run.context.js';

/** Leaves the run open as a workflow when its handler returns. Its deadline is the timeout of the run, else `timeoutMs`; null: none. `context` is the one that the handler was called with. */
export function openFlow(context: RunContext, flow: NewFlow, timeoutMs: number | null): void {
  AttemptContext.openFlow(context as AttemptContext, flow, timeoutMs);
}

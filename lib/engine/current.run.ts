import { AsyncLocalStorage } from 'node:async_hooks';
import type { RunContext } from './run.context.js';

const key = Symbol.for('nestjs-chronis.runs');
const shared = globalThis as { [key]?: AsyncLocalStorage<RunContext> };

/** Of all copies of this package in the process: what asks for the run may have another one than what runs it. */
export const currentRuns = (shared[key] ??= new AsyncLocalStorage<RunContext>());

/**
 * The run whose handler this code is called by, however deep and however asynchronous; null: by none. For singletons such as loggers, which
 * cannot have it injected. @publicApi
 */
export function currentRun(): RunContext | null {
  return currentRuns.getStore() ?? null;
}

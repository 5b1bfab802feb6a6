import { AsyncLocalStorage } from 'node:async_hooks';
import type { RunContext } from './run.context.js';

export const currentRuns = new AsyncLocalStorage<RunContext>();

/**
 * The run whose handler this code is called by, however deep and however asynchronous; null: by none. For singletons such as loggers, which
 * cannot have it injected. @publicApi
 */
export function currentRun(): RunContext | null {
  return currentRuns.getStore() ?? null;
}

import type { Backoff, Policies } from '../model/policies.js';
import type { ClaimedRun } from '../model/run.js';

/** The delay before the given retry (from 1), in whole milliseconds. `random` gives numbers in [0, 1). */
export function backoffDelayMs(backoff: Backoff, retry: number, random: () => number): number {
  if (Array.isArray(backoff)) return backoff[Math.min(retry, backoff.length) - 1] ?? 0;
  if (backoff.type === 'fixed') return backoff.delayMs;
  const cap = backoff.maxMs ?? Number.MAX_SAFE_INTEGER;
  if (backoff.type === 'linear') return Math.min(backoff.delayMs * retry, cap);
  const delay = Math.min(backoff.delayMs * 2 ** Math.min(retry - 1, 52), cap);
  return Math.round(backoff.jitter === false ? delay : delay * random());
}

/** When a run whose attempt failed is due again; null: it gives up. Attempts that were lost with their worker do not count. */
export function retryAt(
  run: ClaimedRun,
  policies: Policies,
  failedAt: number,
  random: () => number,
): number | null {
  const failures = run.attempt - run.lostCount;
  if (failures > policies.maxRetries) return null;
  return failedAt + backoffDelayMs(policies.backoff, Math.max(failures, 1), random);
}

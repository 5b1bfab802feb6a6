import type { NewJob } from '../../lib/ports/storage.adapter.js';
import { newJob } from '../support/engine.js';
import type { SeededRandom } from './seeded.random.js';

/** How long after its begin the last instant of a history is due. */
export const lastsMs = 90_000;
export const managed = ['managed-0', 'managed-1'];

/** Recurring jobs and one-offs with policies of all kinds. */
export function makeJobs(random: SeededRandom, now: number): NewJob[] {
  const policies = () => ({
    ...(random.chance(0.2) ? { recovery: 'abandon' as const } : {}),
    overlap: random.pick(['skip', 'allow', 'queue', 'cancel-running'] as const),
    misfire: random.pick(['skip', 'once', 'all'] as const),
    misfireThresholdMs: random.pick([1_000, 5_000, 60_000]),
    maxRetries: random.between(0, 2),
    backoff: { type: 'fixed' as const, delayMs: random.between(0, 1_500) },
    maxLost: random.between(1, 4),
  });
  const recurring = Array.from({ length: 4 }, (_, i) =>
    every(now, `every-${i}`, random.pick([1_000, 2_000, 5_000]), now, policies()),
  );
  const oneOffs = Array.from({ length: 30 }, (_, i) =>
    newJob(now, { id: `one-off-${i}`, nextAt: now + random.between(0, 50_000), policies: policies() }),
  );
  return [...recurring, ...oneOffs];
}

/** A job that is due each `ms` from `now` until the history ends. */
export function every(
  now: number,
  id: string,
  ms: number,
  begin: number,
  policies: NewJob['policies'],
): NewJob {
  const anchor = new Date(now).toISOString();
  const endAt = new Date(begin + lastsMs).toISOString();
  return newJob(now, {
    id,
    trigger: { type: 'interval', every: ms, anchor, endAt },
    nextAt: now + ms,
    policies,
  });
}

/** Two runs that end each process that executes them, and very many others that are due at the same times. */
export function poisonJobs(random: SeededRandom, now: number): NewJob[] {
  const policies = { maxLost: 3 };
  const poison = [5_000, 15_000].map((after, i) =>
    newJob(now, { id: `poison-${i}`, nextAt: now + after, policies }),
  );
  const innocent = Array.from({ length: 60 }, (_, i) =>
    newJob(now, { id: `innocent-${i}`, nextAt: now + random.pick([5_000, 15_000]), policies }),
  );
  return [...poison, ...innocent];
}

import { deferralMs, type Deferral, type EpochMs } from '../ports/storage.adapter.js';
import { runState } from './rows.to.views.js';
import { reindexRun } from './runs.js';
import { isStopped } from './scopes.js';
import type { MemoryTables, RunRow } from './tables.js';
import { holdsLease } from './workers.js';

const minute = 60_000;

/** How many runs were lifted. */
export function liftOverdue(tables: MemoryTables, now: EpochMs): number {
  let lifted = 0;
  for (const run of dueRuns(tables, now)) {
    const levels = Math.min(Math.floor((now - run.dueAt) / minute), run.job.definition.priority);
    if (levels <= run.lifted) continue;
    run.lifted = levels;
    reindexRun(tables, run);
    lifted++;
  }
  return lifted;
}

export function deferStranded(tables: MemoryTables, now: EpochMs): Deferral[] {
  const alive = [...tables.workers.values()].filter(({ id }) => holdsLease(tables, now, id));
  const deferrals = new Map<string, Deferral>();
  for (const run of dueRuns(tables, now)) {
    const { handler, queue } = run.job.definition;
    if (alive.some((worker) => worker.queues.includes(queue) && worker.handlers.includes(handler))) continue;
    run.dueAt = now + deferralMs;
    reindexRun(tables, run);
    const key = JSON.stringify([handler, queue]);
    const { runs } = deferrals.get(key) ?? { runs: 0 };
    deferrals.set(key, { handler, queue, runs: runs + 1 });
  }
  return [...deferrals.values()];
}

/** Those that a pause stops are nobody's concern. */
function* dueRuns(tables: MemoryTables, now: EpochMs): Iterable<RunRow> {
  for (const run of tables.runs.values()) {
    if (run.dueAt <= now && runState(run) === 'waiting' && !isStopped(tables, run.job)) yield run;
  }
}

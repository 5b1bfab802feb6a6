import { deferralMs, type Deferral, type EpochMs } from '../ports/storage.adapter.js';
import { reindexRun, release } from './runs.js';
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
  recallDeferred(tables, now);
  const isAble = ableOnes(tables, now);
  const deferrals = new Map<string, Deferral>();
  for (const run of dueRuns(tables, now)) {
    if (isAble(run)) continue;
    const { app, definition } = run.job;
    const { handler, queue } = definition;
    run.dueAt = now + Math.min(Math.max(now - run.nominalAt, deferralMs.least), deferralMs.most);
    run.deferredUntil = run.dueAt;
    reindexRun(tables, run);
    const key = JSON.stringify([app, handler, queue]);
    const { runs } = deferrals.get(key) ?? { runs: 0 };
    deferrals.set(key, { app, handler, queue, runs: runs + 1 });
  }
  return [...deferrals.values()];
}

/** What was deferred is due where some live worker can execute it. */
export function recallDeferred(tables: MemoryTables, now: EpochMs): void {
  const isAble = ableOnes(tables, now);
  for (const run of tables.runs.values()) {
    if (run.deferredUntil !== run.dueAt || run.dueAt <= now) continue;
    if (!tables.waiting.has(run) || !isAble(run)) continue;
    run.deferredUntil = null;
    run.dueAt = now;
    release(tables, run);
  }
}

/** Whether some live worker of its app has both handler and queue of a run. */
function ableOnes(tables: MemoryTables, now: EpochMs): (run: RunRow) => boolean {
  const alive = [...tables.workers.values()].filter(({ id }) => holdsLease(tables, now, id));
  return ({ job: { app: owner, definition } }) =>
    alive.some(
      ({ app, queues, handlers }) =>
        (owner === null || owner === app) &&
        queues.includes(definition.queue) &&
        handlers.includes(definition.handler),
    );
}

/** Those that a pause stops are nobody's concern. */
function* dueRuns(tables: MemoryTables, now: EpochMs): Iterable<RunRow> {
  for (const run of tables.runs.values()) {
    if (run.dueAt <= now && tables.waiting.has(run) && !isStopped(tables, run.job)) yield run;
  }
}

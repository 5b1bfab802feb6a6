import {
  auditHorizon,
  deadLettersKeptMs,
  keptMs,
  leastWithheldMs,
  longestKeptMs,
  longestRetention,
  withheld,
  type Pruned,
  type Retention,
} from '../model/retention.js';
import type { GapVerdict, Outcome } from '../model/verdict.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { pruneAudit } from './auditing.js';
import { pruneBinaries } from './binaries.js';
import { pruneBulkActions } from './bulk.actions.js';
import { pruneDeadLetters } from './dead.letters.js';
import { pruneFlows } from './flow.controls.js';
import { forget } from './runs.js';
import { pruneRunLogs } from './run.logs.js';
import { pruneRunProgress } from './run.progress.js';
import { forgetRunSteps } from './run.steps.js';
import type { MemoryTables, WorkerRow } from './tables.js';
import { pruneDefinitions } from './versioned.definitions.js';

/** Their ends tell for how long a job has been declared by nobody. */
const workersKeptMs = 3_600_000;

/** All in one go, as memory is fast: there is never more. */
export function prune(tables: MemoryTables, now: EpochMs, wanted: Retention, agedMs: number): Pruned {
  const retention = longestRetention([wanted, ...wantedBy(tables.workers.values(), now)]);
  tables.recordAsOf = Math.min(now, (tables.recordAsOf ?? now) + agedMs);
  const aheadMs = now - tables.recordAsOf;
  if (aheadMs > leastWithheldMs) return withheld(aheadMs);
  const isKept = (verdict: Outcome | GapVerdict, at: Date): boolean =>
    at.getTime() >= now - keptMs(retention, verdict);
  const attempts = tables.keep(tables.ledger, (row) => isKept(row.outcome, row.finishedAt));
  const gaps = tables.keep(tables.gaps, ({ verdict, until }) => until === null || isKept(verdict, until));
  const over = [...tables.runs.values()].filter((run) => run.keptUntil !== null && run.keptUntil <= now);
  for (const run of over) forget(tables, run.job);
  const deadLetters = pruneDeadLetters(tables, now - deadLettersKeptMs(retention));
  const horizon = now - longestKeptMs(retention);
  pruneDefinitions(tables, horizon, Infinity);
  pruneFlows(tables, horizon, Infinity);
  // What was kept for the retry of a flow goes with it.
  forgetRunSteps(tables, horizon);
  pruneRunLogs(tables, horizon);
  pruneRunProgress(tables);
  pruneBinaries(tables, now);
  pruneBulkActions(tables, now);
  const audit = pruneAudit(tables, auditHorizon(retention, now), now);
  for (const worker of tables.workers.values()) {
    const isOld = worker.leaseUntil < Math.min(horizon, now - workersKeptMs);
    if (isOld && !tables.held.has(worker.id) && isSucceeded(tables, worker)) tables.workers.delete(worker.id);
  }
  return {
    ...{ more: false, withheldMs: 0, attempts, days: 0, gaps, jobs: over.length, deadLetters },
    ...(audit > 0 && { audit }),
  };
}

/** Whether a later worker of the app had all its handlers: the last one that had a handler tells who creates jobs that there is one. */
function isSucceeded({ workers }: MemoryTables, { id, app, handlers, leaseUntil }: WorkerRow): boolean {
  return [...workers.values()].some(
    (later) =>
      later.app === app &&
      (later.leaseUntil > leaseUntil || (later.leaseUntil === leaseUntil && later.id > id)) &&
      handlers.every((handler) => later.handlers.includes(handler)),
  );
}

/** What each app wants: its live workers, or, where all of them are gone, the last one. */
export function wantedBy(workers: Iterable<WorkerRow>, now: EpochMs): Retention[] {
  const all = [...workers].filter(({ retention }) => retention !== null);
  const lastOf = new Map<string, EpochMs>();
  for (const { app, leaseUntil } of all) {
    lastOf.set(app, Math.max(leaseUntil, lastOf.get(app) ?? leaseUntil));
  }
  const isHeard = ({ app, leaseUntil }: WorkerRow): boolean =>
    leaseUntil > now || leaseUntil === lastOf.get(app);
  return all.filter(isHeard).flatMap(({ retention }) => retention ?? []);
}

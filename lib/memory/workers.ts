import { leaseToleranceMs } from '../model/leases.js';
import { isGivenUp, resolvePolicies } from '../model/policies.js';
import type {
  EpochMs,
  ReleaseResult,
  Renewal,
  WorkerCondition,
  WorkerInfo,
  WorkerRegistration,
} from '../ports/storage.adapter.js';
import { callbackOf } from '../ports/callback.js';
import { bearCallback } from './definitions.js';
import { tellGivenUp } from './given.up.steps.js';
import { toClaimedRun } from './rows.to.views.js';
import { isOutOfSync } from './releases.js';
import { endCancelled, finish, record, waitUntil } from './runs.js';
import type { MemoryTables, RunRow, WorkerRow } from './tables.js';

export function register(
  tables: MemoryTables,
  now: EpochMs,
  worker: WorkerRegistration,
  leaseMs: number,
): { now: EpochMs; leaseUntil: EpochMs } {
  const leaseUntil = now + leaseMs;
  const row: WorkerRow = {
    ...structuredClone(worker),
    startedAt: now,
    leaseUntil,
    leaseMs,
    reached: 0,
    running: 0,
    condition: null,
  };
  tables.workers.set(worker.id, tables.own('workers', row));
  return { now, leaseUntil };
}

export function renew(
  tables: MemoryTables,
  now: EpochMs,
  workerId: string,
  leaseMs: number,
  running: number,
  condition: WorkerCondition | null,
  givenUp: readonly string[] | null,
): Renewal {
  const worker = tables.workers.get(workerId);
  const stoodUntil = worker ? Math.max(worker.leaseUntil, worker.reached) : null;
  if (!worker || !holdsLease(tables, now, workerId))
    return { now, leaseUntil: null, stoodUntil, cancelled: [], outOfSync: false };
  Object.assign(worker, {
    leaseUntil: now + leaseMs,
    leaseMs,
    running,
    condition: condition ?? worker.condition,
  });
  if (givenUp !== null) tellGivenUp(worker, givenUp);
  const held = [...(tables.held.get(workerId) ?? [])];
  const cancelled = held.filter((run) => run.cancelRequested).map((run) => run.id);
  const outOfSync = isOutOfSync(tables, now, workerId);
  return { now, leaseUntil: worker.leaseUntil, stoodUntil, cancelled, outOfSync };
}

export function updateWorker(
  tables: MemoryTables,
  workerId: string,
  { handlers, generation }: Pick<WorkerRegistration, 'handlers' | 'generation'>,
): void {
  const worker = tables.workers.get(workerId);
  if (worker) Object.assign(worker, { handlers: [...handlers], generation });
}

export function unregister(tables: MemoryTables, now: EpochMs, workerId: string): void {
  const worker = tables.workers.get(workerId);
  if (!worker) return;
  worker.leaseUntil = Math.min(worker.leaseUntil, now);
  worker.running = 0;
  const { app, generation } = worker;
  const isLast = ![...tables.workers.values()].some(
    (other) => other.app === app && other.generation === generation && other.leaseUntil > now,
  );
  tables.wake({ kind: isLast && generation !== null ? 'release' : 'change' });
}

export function holdsLease(tables: MemoryTables, now: EpochMs, workerId: string): boolean {
  return (tables.workers.get(workerId)?.leaseUntil ?? -Infinity) > now;
}

export function workerInfos(tables: MemoryTables): WorkerInfo[] {
  return [...tables.workers.values()].map((worker) => ({
    id: worker.id,
    name: worker.name,
    app: worker.app,
    generation: worker.generation,
    host: worker.host,
    pid: worker.pid,
    version: worker.version,
    zoneData: worker.zoneData,
    queues: worker.queues,
    handlers: worker.handlers,
    retention: worker.retention,
    startedAt: new Date(worker.startedAt),
    leaseUntil: new Date(worker.leaseUntil),
    running: worker.running,
    slots: worker.slots ?? null,
    condition: worker.condition,
  }));
}

/** Nobody else can lock anything here, so nothing is ever left. */
export function releaseLost(
  tables: MemoryTables,
  now: EpochMs,
  runIds: readonly string[] | null,
): ReleaseResult {
  const result: ReleaseResult = { now, workers: [], runs: [], left: [] };
  if (runIds === null) cutLeases(tables, now);
  for (const [worker, held] of tables.held) {
    if (holdsLease(tables, now, worker)) continue;
    // What an earlier call has left may have had company.
    const isAlone = runIds === null && held.size === 1;
    const runs = [...held].filter(({ id }) => runIds === null || runIds.includes(id));
    if (runs.length > 0) result.workers.push(worker);
    for (const run of runs) {
      const { id: jobId, namespace } = run.job.definition;
      const { handler } = run.claimedAs;
      const verdict = releaseRun(tables, now, run, worker, isAlone);
      result.runs.push({ runId: run.id, jobId, namespace, handler, worker, verdict });
    }
  }
  return result;
}

/** Whether its lease was renewed while the clock was ahead. */
export function isTooLong({ leaseUntil, leaseMs }: WorkerRow, now: EpochMs): boolean {
  return leaseUntil > now + leaseMs + leaseToleranceMs;
}

function cutLeases(tables: MemoryTables, now: EpochMs): void {
  for (const worker of tables.workers.values())
    if (isTooLong(worker, now))
      Object.assign(worker, { reached: worker.leaseUntil, leaseUntil: now + worker.leaseMs });
}

function releaseRun(
  tables: MemoryTables,
  now: EpochMs,
  run: RunRow,
  worker: string,
  isAlone: boolean,
): 'lost' | 'cancelled' | null {
  // Nobody was executing it.
  if (run.open !== null && !run.cancelRequested) {
    waitUntil(tables, run, Math.max(run.dueAt, now));
    return null;
  }
  run.lostCount++;
  const verdict = verdictOfLost(run, isAlone);
  const ending = { startedAt: run.startedAt, finishedAt: Math.max(run.startedAt!, now) };
  if (verdict === 'cancelled') {
    endCancelled(tables, now, run, ending, { since: run.startedAt, hasBegun: true });
    return verdict;
  }
  const lost = {
    outcome: 'lost' as const,
    ...ending,
    error: `The lease of the worker ${worker} ended during the run.`,
  };
  if (verdict === 'lost') {
    giveUp(tables, now, run, lost);
  } else {
    record(tables, run, lost, false);
    waitUntil(tables, run, Math.max(run.dueAt, now));
  }
  return verdict;
}

/** Ends a run as lost, and gives birth to what its job wants then. */
export function giveUp(
  tables: MemoryTables,
  now: EpochMs,
  run: RunRow,
  ending: { startedAt: EpochMs | null; finishedAt: EpochMs; error: string },
): void {
  const called = { ...toClaimedRun(run), ...run.claimedAs };
  const hasEnded = finish(tables, now, run, { ...ending, outcome: 'lost' });
  const callback = run.detached || !hasEnded ? null : callbackOf(called, 'lost', { ...ending, result: null });
  bearCallback(tables, now, callback);
}

/** What a run comes to whose worker died; null: another worker may have it. */
function verdictOfLost(run: RunRow, isAlone: boolean): 'lost' | 'cancelled' | null {
  const { recovery, maxLost } = resolvePolicies(run.job.definition.policies);
  if (run.cancelRequested) return 'cancelled';
  if (run.detached || recovery === 'abandon' || isGivenUp(run.lostCount, maxLost, isAlone)) return 'lost';
  return null;
}

import { oneOffState, recurringState } from '../model/job.state.js';
import { toJobChanges } from '../model/job.changes.js';
import type { Job, JobState, PausedBy } from '../model/job.js';
import type { ClaimedRun, ClaimedStep, Run, RunState } from '../model/run.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { stoppedBy } from '../model/pause.js';
import { placeOf, type FlowStepRow } from './flow.rows.js';
import { toPause } from './own.pause.js';
import { waitsForRuns, type JobRow, type MemoryTables, type RunRow } from './tables.js';

/** A job as users see it. */
export function toJob(tables: MemoryTables, row: JobRow): Job {
  const { statistics } = row;
  return {
    ...row.definition,
    source: row.source,
    app: row.app,
    state: stateOf(tables, row),
    paused: row.pause && toPause(row.pause),
    pausedBy: pausedByOf(tables, row),
    orphanedAt: toDate(row.orphanedAt),
    changed: toJobChanges(row.changed),
    nextRunAt: toDate(nextRunAt(row)),
    waitsFor: waitsForOf(row),
    runCount: statistics.runCount,
    errorCount: statistics.errorCount,
    consecutiveFailures: statistics.consecutiveFailures,
    lastRunAt: toDate(statistics.lastRunAt),
    lastVerdict: statistics.lastVerdict,
    lastError: statistics.lastError,
    createdAt: new Date(row.createdAt),
    updatedAt: new Date(row.updatedAt),
    revision: row.revision,
  };
}

/** The one run of a one-off. */
export function onlyRun(row: JobRow): RunRow {
  const [run] = row.runs;
  return run;
}

export function stateOf(tables: MemoryTables, row: JobRow): JobState {
  const stopped = stoppedBy(tables.pauses.values(), row.definition) !== null;
  if (row.kind === 'one-off') {
    const run = onlyRun(row);
    return oneOffState({ ...run, claimed: isGoingOn(run), stopped, waitsForJobs: waitsForRuns(run) });
  }
  const runs = [...row.runs];
  return recurringState({
    triggerType: row.definition.trigger.type,
    orphaned: row.orphanedAt !== null,
    paused: row.pause !== null,
    stopped,
    claimed: runs.some(isGoingOn),
    waits: runs.some((run) => run.worker === null),
    hasCursor: row.cursorAt !== null,
    finishedAttempts: row.statistics.runCount,
    lastVerdict: row.statistics.lastVerdict,
  });
}

export function pausedByOf(tables: MemoryTables, row: JobRow): PausedBy | null {
  if (row.kind === 'one-off' && onlyRun(row).verdict !== null) return null;
  return row.pause === null ? stoppedBy(tables.pauses.values(), row.definition) : 'job';
}

export function nextRunAt(row: JobRow): EpochMs | null {
  if (row.kind === 'recurring') return row.cursorAt === Infinity ? null : row.cursorAt;
  const run = onlyRun(row);
  return runState(run) === 'waiting' && run.dueAt !== Infinity ? run.dueAt : null;
}

function waitsForOf(row: JobRow): string[] | null {
  const run = row.kind === 'one-off' ? onlyRun(row) : null;
  if (run === null || !waitsForRuns(run)) return null;
  return run.waitsFor!.filter(({ verdict }) => verdict !== 'succeeded').map(({ id }) => id);
}

/** Null: it waits for a signal, or for the ends of other jobs. */
function dueDate({ dueAt }: RunRow): Date | null {
  return dueAt === Infinity ? null : new Date(dueAt);
}

function isGoingOn({ worker, open }: RunRow): boolean {
  return worker !== null || open !== null;
}

/** A run as users see it. */
export function toRun(run: RunRow): Run {
  const { id, namespace, handler, queue, priority } = run.job.definition;
  const state = runState(run);
  return {
    id: run.id,
    jobId: id,
    namespace,
    handler,
    queue,
    priority,
    origin: run.origin,
    nominalAt: new Date(run.nominalAt),
    dueAt: state === 'waiting' || run.open?.deadline != null ? dueDate(run) : null,
    state,
    attempt: run.attempt,
    fence: run.fence,
    lostCount: run.lostCount,
    worker: run.worker,
    startedAt: toDate(run.open?.since ?? run.startedAt),
    lastError: run.lastError,
    lastFingerprint: run.lastFingerprint,
    finishedAt: run.verdict === null ? null : toDate(run.finishedAt),
    retryOf: run.retryOf,
  };
}

export function runState(run: RunRow): RunState {
  if (run.verdict !== null) return run.verdict;
  if (run.open !== null) return 'open';
  if (run.worker !== null) return 'running';
  if (run.held) return 'paused';
  return run.blockedBy.size > 0 ? 'blocked' : 'waiting';
}

/** A run as its worker gets it. */
export function toClaimedRun(run: RunRow): ClaimedRun {
  const { job } = run;
  const { id, name, trigger: _, ...definition } = job.definition;
  return {
    ...definition,
    id: run.id,
    jobId: id,
    jobName: name,
    jobUid: job.kind === 'recurring' ? job.uid : null,
    app: job.app,
    worker: run.worker ?? '',
    fence: run.fence,
    attempt: run.attempt,
    lostCount: run.lostCount,
    origin: run.origin,
    nominalAt: run.nominalAt,
    dueAt: run.dueAt,
    missed: run.missed,
    ...(run.open && { openedAt: run.open.since }),
    ...(run.step && { flowStep: toClaimedStep(run.step) }),
    ...traceOf(run),
  };
}

/** A step of a flow is asked for by what opened that. */
function traceOf({ trace, step }: RunRow): Pick<ClaimedRun, 'trace'> {
  const parent = trace?.parent ?? step?.flow.trace ?? null;
  const last = trace?.last ?? null;
  return parent === null && last === null ? {} : { trace: { parent, last } };
}

function toClaimedStep(step: FlowStepRow): ClaimedStep {
  const { flow, definition, nth } = step;
  const { runId, workflow, version, params } = flow;
  const place = placeOf(step);
  return {
    flowRunId: runId,
    workflow,
    version,
    name: definition.name,
    nth,
    depth: depthOf(flow),
    place,
    params,
  };
}

function depthOf({ stepOf }: FlowStepRow['flow']): number {
  return stepOf === null ? 1 : 1 + depthOf(stepOf.flow);
}

export function toDate(at: EpochMs | null): Date | null {
  return at === null ? null : new Date(at);
}

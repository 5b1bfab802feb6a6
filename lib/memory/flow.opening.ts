import type { EpochMs, NewFlow } from '../ports/storage.adapter.js';
import { advance } from './flow.advancing.js';
import { endIfOver } from './flow.endings.js';
import { addSteps } from './flow.growth.js';
import { allSteps, flowPlace, placeOf, type FlowRow } from './flow.rows.js';
import { release } from './runs.js';
import type { MemoryTables, RunRow } from './tables.js';

/** Makes a graph of steps of a run that is open. */
export function openFlow(
  tables: MemoryTables,
  now: EpochMs,
  run: RunRow,
  given: NewFlow,
  trace: string | undefined,
): void {
  const before = tables.flows.get(run.id);
  if (before) forgetFlow(tables, before);
  const { workflow, version, params } = given;
  const { job, open, nominalAt } = run;
  const flow = tables.own<FlowRow>('flows', {
    runId: run.id,
    jobUid: job.uid,
    nominalAt,
    workflow,
    version,
    namespace: job.definition.namespace,
    app: job.app,
    timeZone: job.definition.timeZone,
    params: structuredClone(params),
    ...(trace !== undefined && { trace }),
    deadlineMs: open!.deadline === null ? null : Math.max(open!.deadline - now, 0),
    openedAt: now,
    endedAt: null,
    pausedAt: run.step?.flow.pausedAt == null ? null : now,
    verdict: null,
    ending: null,
    retryAt: null,
    retryOf: run.retryOf,
    firstRun: null,
    place: run.step === null ? rootPlace(tables, run, before) : placeOf(run.step),
    stepOf: run.step,
    steps: new Map(),
    active: 0,
    total: 0,
  });
  tables.flows.set(run.id, flow);
  if (run.held && run.step === null) release(tables, run);
  advance(tables, now, flow, [], addSteps(tables, flow, given.steps));
  endIfOver(tables, now, flow);
}

/**
 * Where it was in an earlier attempt, or is that of the run which is repeated by hand. The job of a one-off begins anew at another time, a schedule has one run for each instant, and by hand there may be several within one. A run that
 * repeats one which was no flow has no steps before it.
 */
function rootPlace(tables: MemoryTables, run: RunRow, before: FlowRow | undefined): string {
  const { job, origin, nominalAt, retryOf } = run;
  const { namespace, id } = job.definition;
  if (before) return flowPlace(before);
  if (job.kind === 'one-off') return JSON.stringify([namespace, id]);
  if (origin !== 'manual' && origin !== 'retry') return `${job.uid}@${nominalAt}`;
  const repeated = retryOf === null ? undefined : tables.flows.get(retryOf);
  return repeated ? flowPlace(repeated) : `${job.uid}#${run.id}`;
}

/** What still runs of it goes on without it. */
export function forgetFlow(tables: MemoryTables, flow: FlowRow): void {
  for (const { runId } of allSteps(flow)) letGoOfRun(tables, runId);
  for (const other of tables.flows.values()) if (other.stepOf?.flow === flow) other.stepOf = null;
  tables.flows.delete(flow.runId);
}

/** Its end counts for nothing. */
export function letGoOfRun(tables: MemoryTables, runId: string | null): void {
  const run = runId === null ? undefined : tables.runs.get(runId);
  if (!run) return;
  run.step = null;
  run.detached = true;
}

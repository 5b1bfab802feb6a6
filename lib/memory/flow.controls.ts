import type { EpochMs } from '../ports/storage.adapter.js';
import { forgetFlow } from './flow.opening.js';
import { allSteps, isLeft, type FlowRow } from './flow.rows.js';
import { hold, reindexRun, release } from './runs.js';
import type { MemoryTables, RunRow } from './tables.js';

export function pauseFlow(tables: MemoryTables, now: EpochMs, runId: string): boolean {
  const flow = tables.flows.get(runId);
  if (!flow || isLeft(flow)) return false;
  flow.pausedAt ??= now;
  for (const run of runsOf(tables, flow)) {
    // One that goes on is held when it comes back.
    hold(tables, run);
    pauseFlow(tables, now, run.id);
  }
  return true;
}

export function resumeFlow(tables: MemoryTables, runId: string): boolean {
  const flow = tables.flows.get(runId);
  if (!flow || isLeft(flow)) return false;
  flow.pausedAt = null;
  for (const run of runsOf(tables, flow)) {
    if (run.held) release(tables, run);
    resumeFlow(tables, run.id);
  }
  return true;
}

/** How many went, those first that ended first. */
export function pruneFlows(tables: MemoryTables, endedBefore: EpochMs, limit: number): number {
  const old = [...tables.flows.values()]
    .filter((flow) => flow.endedAt !== null && flow.endedAt < endedBefore && !isPartOfActive(flow))
    .toSorted((one, other) => one.endedAt! - other.endedAt!)
    .slice(0, limit);
  for (const flow of old) forgetFlow(tables, flow);
  return old.length;
}

/** Gives what goes on of a flow, and of those that are steps of it, to another app. */
export function takeOverFlow(tables: MemoryTables, runId: string, app: string): void {
  const flow = tables.flows.get(runId);
  if (!flow) return;
  flow.app = app;
  for (const run of runsOf(tables, flow)) {
    run.job.app = app;
    tables.note('runs', run);
    reindexRun(tables, run);
    takeOverFlow(tables, run.id, app);
  }
}

/** Of its steps, as far as they have not ended. */
function* runsOf(tables: MemoryTables, flow: FlowRow): Iterable<RunRow> {
  for (const step of allSteps(flow)) {
    const run = step.runId === null ? undefined : tables.runs.get(step.runId);
    if (run?.step === step) yield run;
  }
}

function isPartOfActive({ stepOf }: FlowRow): boolean {
  return stepOf !== null && (stepOf.flow.verdict === null || isPartOfActive(stepOf.flow));
}

import { isFailure } from '../model/verdict.js';
import type { EpochMs, NewRunStep, Hold, RunStep } from '../ports/storage.adapter.js';
import { isHeldWith } from './runs.js';
import type { MemoryTables } from './tables.js';

export function queryRunSteps({ steps }: MemoryTables, runId: string): RunStep[] {
  const found = steps.get(runId) ?? [];
  return found.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** False: it is not in these hands, or there is one of that name. */
export function recordNewRunStep(tables: MemoryTables, now: EpochMs, hold: Hold, step: NewRunStep): boolean {
  const isThere = tables.steps.get(hold.runId)?.some(({ name }) => name === step.name) === true;
  return !isThere && recordRunStep(tables, now, hold, step);
}

export function recordRunStep(tables: MemoryTables, now: EpochMs, hold: Hold, step: NewRunStep): boolean {
  if (!isHeldWith(tables.runs.get(hold.runId), hold)) return false;
  const kept = tables.steps.get(hold.runId) ?? [];
  if (kept.some(({ name }) => name === step.name)) return true;
  const startedAt = Math.min(step.startedAt, now);
  tables.steps.set(hold.runId, [...kept, structuredClone({ ...step, startedAt, finishedAt: now })]);
  return true;
}

/** They go with the run that is retried. */
export function moveRunSteps({ steps }: MemoryTables, from: string, to: string): void {
  const kept = steps.get(from);
  if (kept === undefined) return;
  steps.set(to, kept);
  steps.delete(from);
}

/** Those of a run without a verdict, or that may be retried, stay, as an attempt may come that needs them. */
export function forgetRunSteps({ steps, runs }: MemoryTables, horizon: EpochMs): void {
  for (const [runId, kept] of steps) {
    const run = runs.get(runId);
    if (run !== undefined && (run.verdict === null || isFailure(run.verdict))) continue;
    const young = kept.filter(({ finishedAt }) => finishedAt >= horizon);
    if (young.length === 0) steps.delete(runId);
    else if (young.length < kept.length) steps.set(runId, young);
  }
}

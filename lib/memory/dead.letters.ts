import { isFailure } from '../model/verdict.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { touch } from './definitions.js';
import { runningSteps } from './flow.resetting.js';
import { givenUpBy } from './given.up.steps.js';
import { moveWaits } from './run.waits.js';
import { bearRun, carry, forget, release, tellFlows } from './runs.js';
import { moveRunSteps } from './run.steps.js';
import type { MemoryTables, RunRow } from './tables.js';

/** Of one recurring job; older ones are found in the ledger only. */
const mostOfJob = 1_000;

export function retryRuns(
  tables: MemoryTables,
  now: EpochMs,
  runIds: readonly string[],
  delaysMs: readonly number[],
  givenUp: readonly string[],
  trace: string | undefined,
): RunRow[] {
  const delays = new Map(runIds.map((id, nth) => [id, delaysMs[nth] ?? 0]));
  const goingOn = givenUpBy(tables, now, givenUp);
  return deadLetters(tables, runIds)
    .filter(({ id }) => runningSteps(tables, id, goingOn).length === 0)
    .map((dead) => {
      const run = retry(tables, now, dead, delays.get(dead.id)!);
      carry(run, trace);
      return run;
    });
}

/** The ids of those that were there. */
export function discardRuns(tables: MemoryTables, runIds: readonly string[]): string[] {
  return deadLetters(tables, runIds).map((dead) => {
    tellFlows(tables, dead, null);
    if (dead.job.kind === 'one-off') forget(tables, dead.job);
    else removeDeadLetter(tables, dead);
    return dead.id;
  });
}

/** Those of recurring jobs go with the ledger; one-offs stay until somebody decides. Returns how many went. */
export function pruneDeadLetters(tables: MemoryTables, horizon: EpochMs): number {
  let gone = 0;
  for (const { deadLetters } of tables.jobs.values()) {
    let surplus = deadLetters.size - mostOfJob;
    for (const dead of deadLetters) {
      if (surplus-- <= 0 && dead.finishedAt! >= horizon) continue;
      removeDeadLetter(tables, dead);
      gone++;
    }
  }
  return gone;
}

function retry(tables: MemoryTables, now: EpochMs, dead: RunRow, delayMs: number): RunRow {
  const { job, nominalAt } = dead;
  removeDeadLetter(tables, dead);
  const run = bearRun(tables, job, { origin: 'retry', nominalAt, dueAt: now + delayMs });
  run.retryOf = dead.id;
  if (dead.trace !== undefined) run.trace = dead.trace;
  moveRunSteps(tables, now, dead.id, run.id);
  moveWaits(tables, dead, run);
  if (job.kind === 'one-off') {
    run.lastError = dead.lastError;
    run.lastFingerprint = dead.lastFingerprint;
    job.pause = null;
    touch(job, now);
  }
  release(tables, run);
  return run;
}

export function removeDeadLetter(tables: MemoryTables, dead: RunRow): void {
  tables.runs.delete(dead.id);
  dead.job.runs.delete(dead);
  dead.job.deadLetters.delete(dead);
}

function deadLetters(tables: MemoryTables, runIds: readonly string[]): RunRow[] {
  const runs = [...new Set(runIds)].map((id) => tables.runs.get(id));
  return runs.filter((run): run is RunRow => !!run?.verdict && isFailure(run.verdict));
}

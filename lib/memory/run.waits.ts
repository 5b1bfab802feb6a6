import type { EpochMs } from '../ports/storage.adapter.js';
import { fateOf, isDeadLetter, unreachable, waitsForJobs } from '../ports/waits.js';
import { cancelWaiting, waitUntil } from './runs.js';
import { waitsForRuns, type AwaitedRun, type EndedRun, type MemoryTables, type RunRow } from './tables.js';

/** Lets one run wait for the ends of others; it has no time. */
export function awaitRuns(tables: MemoryTables, run: RunRow, parents: readonly RunRow[]): void {
  run.waitsFor = parents.map((parent) => ({
    runId: parent.id,
    id: parent.job.definition.id,
    verdict: null,
    gone: false,
  }));
  for (const parent of parents) {
    parent.awaitedBy.push(run.id);
    tables.note('runs', parent);
  }
}

/** Tells what waits for them of ends of runs, and of dead letters that are gone. All that end together are counted before anything is decided. */
export function tellWaits(tables: MemoryTables, now: EpochMs, ended: readonly EndedRun[]): void {
  const concerned = new Set<RunRow>();
  for (const { run, outcome } of ended) {
    const stored = tables.runs.get(run.id);
    // Its next attempt is due.
    if (outcome === null && stored !== undefined) continue;
    const isGone = stored?.verdict == null;
    for (const [child, awaited] of waiting(tables, run)) {
      awaited.verdict = outcome ?? awaited.verdict ?? 'lost';
      awaited.gone = awaited.verdict !== 'succeeded' && (isGone || !isDeadLetter(awaited.verdict));
      tables.note('runs', child);
      concerned.add(child);
    }
  }
  for (const child of concerned) decide(tables, now, child);
}

/** What waits for one run waits for another in its place, that repeats it by hand: how the one ended does not count any more. */
export function moveWaits(tables: MemoryTables, before: RunRow, run: RunRow): void {
  for (const [child, awaited] of waiting(tables, before)) {
    if (awaited.verdict === 'succeeded') continue;
    Object.assign(awaited, { runId: run.id, verdict: null, gone: false });
    run.awaitedBy.push(child.id);
    tables.note('runs', child);
    tables.note('runs', run);
  }
}

function* waiting(tables: MemoryTables, { id, awaitedBy }: RunRow): Iterable<[RunRow, AwaitedRun]> {
  for (const childId of awaitedBy) {
    const child = tables.runs.get(childId);
    const awaited = child?.waitsFor?.find(({ runId }) => runId === id);
    if (child && awaited && waitsForRuns(child)) yield [child, awaited];
  }
}

function decide(tables: MemoryTables, now: EpochMs, run: RunRow): void {
  const { definition } = run.job;
  const awaited = run.waitsFor!;
  if (!waitsForJobs(definition)) return;
  const ok = awaited.filter(({ verdict }) => verdict === 'succeeded').length;
  const bad = awaited.flatMap(({ id, verdict }) =>
    verdict === null || verdict === 'succeeded' ? [] : [{ id, verdict }],
  );
  const gone = awaited.filter((each) => each.gone).length;
  const fate = fateOf(definition.trigger, { parents: awaited.length, ok, bad: bad.length, gone });
  if (fate === 'cancel') return cancelWaiting(tables, now, run, unreachable(bad));
  if (fate === null) return;
  run.nominalAt = now + (definition.trigger.delay ?? 0);
  waitUntil(tables, run, run.nominalAt);
}

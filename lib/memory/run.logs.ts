import {
  middleOf,
  type NewRunLogPart,
  type RunLogPart,
  type RunLogPlace,
  type RunLogStorage,
} from '../ports/storage.adapter.js';
import type { EpochMs, Hold } from '../ports/storage.adapter.js';
import { isHeldWith } from './runs.js';
import type { MemoryTables, RunLogRow, Step } from './tables.js';

/** Of all runs together; those that have written first go first. */
const mostBytes = 67_108_864;

/** Logs of runs in memory. */
export class MemoryRunLogs implements RunLogStorage {
  constructor(private readonly atomically: <T>(step: Step<T>, kind?: 'read') => Promise<T>) {}

  append(parts: readonly NewRunLogPart[]): Promise<void> {
    return this.atomically((tables) => {
      for (const part of parts) if (mayWriteOf(tables, part)) add(tables, part);
      makeRoom(tables);
    });
  }

  read(runId: string, after: RunLogPlace | null): Promise<RunLogPart[]> {
    return this.atomically(({ runLogs }) => {
      const parts = runLogs.get(runId)?.parts ?? [];
      return parts.filter((part) => after === null || compare(part, after) > 0);
    }, 'read');
  }
}

/** Lines that are older go; of a run that goes on as well. */
export function pruneRunLogs({ runLogs }: MemoryTables, horizon: EpochMs): void {
  for (const [runId, row] of runLogs) {
    const parts = row.parts.filter(({ lines }) => lines.at(-1)!.at >= horizon);
    if (parts.length === row.parts.length) continue;
    if (parts.length === 0) runLogs.delete(runId);
    else runLogs.set(runId, rowOf(runId, parts));
  }
}

/** Whether he has the run, or has ended it by himself. */
export function mayWriteOf({ runs, ledger }: MemoryTables, hold: Hold): boolean {
  if (isHeldWith(runs.get(hold.runId), hold)) return true;
  return ledger.some(
    ({ runId, fence, worker, outcome }) =>
      runId === hold.runId && fence === hold.fence && worker === hold.worker && outcome !== 'lost',
  );
}

function add({ runLogs }: MemoryTables, given: NewRunLogPart): void {
  const { runId } = given;
  const there = runLogs.get(runId)?.parts ?? [];
  if (there.some((each) => compare(each, given) === 0)) return;
  const { attempt, fence, part, bytes, dropped: before } = given;
  const lines = structuredClone(given.lines);
  const parts = [...there, { attempt, fence, part, lines, bytes, dropped: before }].sort(compare);
  const middle = middleOf(parts.map(({ lines, bytes }) => ({ lines: lines.length, bytes })));
  if (middle !== null) {
    const gone = parts.splice(middle.from, middle.until - middle.from);
    const dropped = gone.reduce((sum, each) => sum + each.lines.length + each.dropped, 0);
    const next = parts[middle.from]!;
    parts[middle.from] = { ...next, dropped: next.dropped + dropped };
  }
  // Behind those that have not written for longer.
  runLogs.delete(runId);
  runLogs.set(runId, rowOf(runId, parts));
}

function makeRoom({ runLogs }: MemoryTables): void {
  let sum = 0;
  for (const { bytes } of runLogs.values()) sum += bytes;
  for (const [runId, { bytes }] of runLogs) {
    if (sum <= mostBytes) return;
    sum -= bytes;
    runLogs.delete(runId);
  }
}

function rowOf(runId: string, parts: readonly RunLogPart[]): RunLogRow {
  return { runId, parts, bytes: parts.reduce((sum, part) => sum + part.bytes, 0) };
}

const compare = (a: RunLogPlace, b: RunLogPlace): number => a.fence - b.fence || a.part - b.part;

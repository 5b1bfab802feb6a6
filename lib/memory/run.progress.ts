import type { RunProgress } from '../model/run.progress.js';
import type { NewRunProgress, RunProgressStorage } from '../ports/storage.adapter.js';
import { mayWriteOf } from './run.logs.js';
import type { MemoryTables, Step } from './tables.js';

/** How far runs are, in memory. */
export class MemoryRunProgress implements RunProgressStorage {
  constructor(private readonly atomically: <T>(step: Step<T>, kind?: 'read') => Promise<T>) {}

  report(reports: readonly NewRunProgress[]): Promise<string[]> {
    return this.atomically((tables) => {
      const taken = reports.filter((report) => isNewest(tables, report) && mayWriteOf(tables, report));
      for (const { runId, fence, attempt, at, fraction, details } of taken) {
        const row = { runId, fence, attempt, at, fraction, details: structuredClone(details) };
        tables.runProgress.set(runId, row);
      }
      return taken.map(({ runId }) => runId);
    });
  }
}

export function progressOf({ runProgress }: MemoryTables, runId: string): RunProgress | null {
  const row = runProgress.get(runId);
  if (row === undefined) return null;
  const { fraction, details, attempt, at } = row;
  return { fraction, details: structuredClone(details), attempt, at: new Date(at) };
}

/** It goes with its run. */
export function pruneRunProgress({ runProgress, runs }: MemoryTables): void {
  for (const runId of runProgress.keys()) if (!runs.has(runId)) runProgress.delete(runId);
}

function isNewest({ runs }: MemoryTables, { runId, fence }: NewRunProgress): boolean {
  return runs.get(runId)?.fence === fence;
}

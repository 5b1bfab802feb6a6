import type { EpochMs } from '../ports/storage.adapter.js';
import type { MemoryTables, WorkerRow } from './tables.js';

/** Nearly all workers have none, and are stored without. */
export function tellGivenUp(worker: WorkerRow, givenUp: readonly string[]): void {
  if (givenUp.length > 0 || worker.givenUp !== undefined) worker.givenUp = [...givenUp];
}

/** The places of steps that go on though they were given up: those that the process which asks knows of, and those that live workers have told. */
export function givenUpBy(
  { workers }: MemoryTables,
  now: EpochMs,
  asking: readonly string[],
): readonly string[] {
  const told = [...workers.values()].flatMap(({ leaseUntil, givenUp = [] }) =>
    leaseUntil > now ? givenUp : [],
  );
  return told.length === 0 ? asking : [...asking, ...told];
}

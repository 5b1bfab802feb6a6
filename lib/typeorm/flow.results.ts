import type { ClaimedRun } from '../model/run.js';

type Hearer = (run: ClaimedRun) => void;

/** Tells of flows that have succeeded without their results being kept, once that is committed. */
export class UnkeptResults {
  private readonly hearers = new Set<Hearer>();

  /** Returns how to stop. */
  hear(told: Hearer): () => void {
    this.hearers.add(told);
    return () => void this.hearers.delete(told);
  }

  tell(runs: readonly ClaimedRun[]): void {
    for (const run of runs) for (const told of this.hearers) told(run);
  }
}

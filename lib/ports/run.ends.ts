import type { ClaimedRun } from '../model/run.js';
import type { EpochMs } from './epoch.ms.js';
import type { FlowOver } from './flows.js';

// Captured, so that fake timers of a test do not hold up who tells.
const { setImmediate } = globalThis;

/** A run that has ended as `cancelled` while no handler of a live worker executed it. @publicApi */
export interface CancelledRun extends Pick<
  ClaimedRun,
  'id' | 'jobId' | 'namespace' | 'handler' | 'queue' | 'origin' | 'attempt' | 'nominalAt'
> {
  /** A worker has had it, and not only to give it back by this call. */
  hasBegun: boolean;
  /** When what has ended with it began: that it was open, or the attempt whose worker has died. Null: it waited. */
  since: EpochMs | null;
  finishedAt: EpochMs;
}

/** An end of a run that no worker tells of. @publicApi */
export type RunEnd = FlowOver | { cancelled: CancelledRun };

type Hearer = (end: RunEnd) => void;

/** So many are told at once, before others have a turn. */
const endsPerTurn = 100;

/** Tells of ends of runs, see `StorageAdapter.runEnds`. @publicApi */
export class RunEnds {
  private readonly hearers = new Set<Hearer>();

  /** Returns how to stop. */
  onRunEnd(told: Hearer): () => void {
    this.hearers.add(told);
    return () => void this.hearers.delete(told);
  }

  /** To be called once what they are of is committed. Resolves when all are told. */
  async tell(ends: readonly RunEnd[]): Promise<void> {
    if (this.hearers.size === 0) return;
    for (const [nth, end] of ends.entries()) {
      if (nth > 0 && nth % endsPerTurn === 0)
        await new Promise<void>((resolve) => void setImmediate(resolve));
      for (const told of this.hearers) told(end);
    }
  }
}

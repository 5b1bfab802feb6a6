import type { JsonObject } from '../model/json.js';
import type { EpochMs } from './epoch.ms.js';
import type { Hold } from './loop.js';

/** How far an attempt is that has this hold of its run, or has ended. */
export interface NewRunProgress extends Hold {
  attempt: number;
  at: EpochMs;
  /** From 0 to 1. */
  fraction: number;
  /** `mostDetailBytes` as JSON, about. */
  details: JsonObject | null;
}

/** How far runs are. It is told with them, see `ListedRun.progress`. */
export interface RunProgressStorage {
  /**
   * Keeps the last report of each run, and resolves with the ids of the runs whose reports it has taken. Passes over those of attempts that do not have their runs any more, unless they have ended by themselves and no other has begun: nobody
   * reports on a run that was taken from him, and an older claim never replaces what a newer one has said. A report goes with its run: `prune` removes those of runs that are not stored any more.
   */
  report(reports: readonly NewRunProgress[]): Promise<string[]>;
}

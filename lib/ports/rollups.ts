import type { Page } from '../model/job.js';
import type { RollupMark, RollupOrder, StatisticsRow, StatisticsUnit } from '../model/rollup.js';
import type { EpochMs } from './epoch.ms.js';
import type { PageRequest } from './queries.js';

export type { RollupMark, RollupOrder, StatisticsRow, StatisticsUnit } from '../model/rollup.js';

/** Where the counting stands. */
export interface RollupState {
  now: EpochMs;
  /** null: nothing was counted yet. */
  mark: RollupMark | null;
  /** When the oldest row of the ledger ended; null: it is empty. */
  oldest: EpochMs | null;
  /** Of how long a time the ledger has all rows, as the workers on record want it kept; null: none says so. */
  wholeMs: number | null;
}

export interface RollupFilter {
  unit: StatisticsUnit;
  from: EpochMs;
  /** Exclusive. */
  until: EpochMs;
  namespace?: string;
  queue?: string | string[];
  handler?: string | string[];
}

/** What the ledger comes to by minute, hour and day. Rows are replaced, never added to, so that it does not matter how often something is counted, or where its counting was cut off. */
export interface RollupStorage {
  rollupState(): Promise<RollupState>;
  /**
   * Counts what the ledger has from `from` until `until` anew, and the hour and the day that it is in from that; what has not changed is not written. Moves the mark as `markAfter` says, in the
   * same step. One at a time, whoever calls. False: nothing was counted, as the ledger may have forgotten some of it already or, for `check`, as it says the same.
   */
  makeRollups(order: RollupOrder): Promise<boolean>;
  /** Ordered by start, namespace, queue, handler and verdict, text by its bytes. */
  queryRollups(
    filter: RollupFilter,
    page: PageRequest,
  ): Promise<Page<StatisticsRow> & { mark: RollupMark | null }>;
  /** Removes rows that are older than they are kept, up to `limit` of each unit. Returns how many. */
  forgetRollups(keptMs: Readonly<Record<StatisticsUnit, number>>, limit: number): Promise<number>;
}

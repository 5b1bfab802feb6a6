/** Past instants of one job that shall run. */
export interface BackfillOrder {
  /** Nominal times, ascending, each once. */
  instants: readonly number[];
  /**
   * `queue`: one after the other, each when the one before has its verdict, and after those of earlier orders that are not through ·
   * `allow`: all of them are due now.
   */
  overlap: 'queue' | 'allow';
  /** Also instants of which the ledger says that they succeeded. */
  includeSucceeded: boolean;
  /** Only tell. */
  dryRun: boolean;
}

/** What became of an order, or in a dry run would have. The counts and `created` add up to all instants. */
export interface BackfillReport {
  /** Of the runs that were born, in the order of their instants. Empty in a dry run. */
  runIds: string[];
  /** The instants that get a run. */
  created: number[];
  /** Have a run without verdict, of the schedule, a backfill or a retry by hand. */
  active: number;
  /** Succeeded, as the ledger has it. */
  succeeded: number;
  /** Not before the cursor: the schedule itself is about to fire them, or to leave them out on record. */
  scheduled: number;
}

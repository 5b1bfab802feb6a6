/** Where the nominal instants of a trigger come from, before exclusions and limits. All in epoch milliseconds. */
export interface OccurrenceSource {
  /** The first instant that is not before `at`; null: there is none. */
  nextFrom(at: number): number | null;
  /** The last instant that is not after `at`; null: there is none. */
  previousFrom(at: number): number | null;
}

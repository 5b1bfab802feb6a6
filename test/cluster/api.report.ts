/** What one process of the API test has seen. */
export interface ClientReport {
  /** Answers that no model allows. */
  differences: string[];
  /** How often a shared id was created, and deleted, by this process. */
  created: Record<string, number>;
  deleted: Record<string, number>;
  /** Changes by an expected revision that were accepted. */
  revisions: Record<string, number>;
  /** Runs that this process asked for. */
  runIds: string[];
}

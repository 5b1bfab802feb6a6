import type { JobRef } from '../model/job.js';

/** JSON as it is stored, letter by letter: numbers that JavaScript cannot hold are in it. Each is null where there is none. */
export interface StoredText {
  /** Of a job, or of a one-off, at this revision. */
  job(ref: JobRef): Promise<{ revision: number; payload: string; metadata: string } | null>;
  /** What the newest attempts of a run have come to: `limit` of them, those without a result left out. */
  results(runId: string, limit: number): Promise<{ fence: number; final: boolean; result: string }[]>;
  /** What the durable steps of a run have come to, those without a result left out. */
  stepResults(runId: string): Promise<{ name: string; result: string }[]>;
  /** What the workflow was begun with that this run is. */
  params(runId: string): Promise<string | null>;
}

import type { JobRef } from './job.js';

/** A handler that jobs need which were made at run time, and that is lacking. @publicApi */
export interface UnservedHandler {
  handler: string;
  /** How many. */
  jobs: number;
  /** One of them. */
  example: JobRef;
}

import type { InstantInput } from '../model/trigger.js';
import type { Explanation } from './explanation.js';

/** Which time to look at. @publicApi */
export interface CoverageOptions {
  /** Text without an offset is in the zone of the job, here and in `until`. @default 24 hours before `until` */
  from?: InstantInput;
  /** At most 366 days after `from`; itself not in it. @default now, by the storage's clock */
  until?: InstantInput;
  /** How many instants at most, 1–10,000. @default 1000 */
  limit?: number;
}

export const coverageKeys = ['from', 'until', 'limit'] satisfies (keyof CoverageOptions)[];

/** One due instant, and what became of it, or will. @publicApi */
export type CoveredInstant = Omit<Explanation, 'jobId' | 'namespace'>;

/** All due instants of a job in a stretch of time, each with what became of it. @publicApi */
export interface Coverage {
  jobId: string;
  namespace: string;
  from: Date;
  until: Date;
  /** By time. */
  instants: CoveredInstant[];
  /** How many more did not run in stretches of which the record has the first and the last instant and the number, and whose times nobody knows: the job is gone, or had another schedule. */
  unnamed: number;
  /** There are more than `limit`, all later than these. */
  isCut: boolean;
  /** All of the record that concerns the stretch was looked through: else an instant may be `unknown` of which there is a row. */
  isWhole: boolean;
}

import type { Job, JobRef } from '../model/job.js';
import type { ScopePause } from '../model/pause.js';
import type { Attempt, Gap, Run } from '../model/run.js';
import type { Calendars } from '../model/trigger.js';
import type { RunVerdict } from '../model/verdict.js';
import type { WorkerInfo } from '../ports/storage.adapter.js';
import type { IsolatedRun } from './explaining.isolation.js';

/** What is on record of one instant. */
export interface Recorded {
  /** The newest first. */
  attempts: readonly Attempt[];
  runs: readonly Run[];
  gaps: readonly Gap[];
  /** Nothing is on record of the job at all. */
  isEmpty: boolean;
  /** All of it was looked through. */
  isWhole: boolean;
}

/** What is known of a job and of one of its instants. */
export interface Circumstances {
  ref: JobRef;
  at: number;
  now: number;
  /** null: it was deleted, or has ended. */
  job: Job | null;
  /** Of what names it in words. */
  timeZone: string;
  recorded: Recorded;
  pauses: readonly ScopePause[];
  /** Live ones. */
  workers: readonly WorkerInfo[];
  /** What they execute alone, by their ids. */
  isolated: ReadonlyMap<string, IsolatedRun>;
  /** What a workflow ends as that is open, once what still runs of it has ended; null: that is not decided, or there is none. */
  ending: RunVerdict | null;
  calendars: Calendars;
}

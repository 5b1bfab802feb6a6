import type { Evidence } from './evidence.js';

/** First and last moment of all recurring jobs: instants outside cannot be due. The same for all workers of a run. */
export interface Period {
  startAt: number;
  endAt: number;
}

/** What a worker process is started with; crosses as JSON in an environment variable, the period in a message. */
export interface WorkerOptions extends Period {
  url: string;
  /** Where to LISTEN when `url` leads through a pooler; null: as for all else. */
  listenUrl: string | null;
  name: string;
  /** Which set of declarations it runs; a rolling deploy raises it. */
  release: number;
  /** How far its wall clock is ahead, in ms. */
  clockOffsetMs: number;
  leaseMs: number;
  /** The file in which it writes down each execution. */
  executions: string;
}

export interface ChaosOptions {
  /** For all worlds together. */
  seconds: number;
  workers: number;
  seed: number;
  leaseMs: number;
  /** One-offs created each second. */
  rate: number;
  /** Whether jobs are changed, paused and deleted meanwhile. */
  changes: boolean;
  /** Which faults to draw from. */
  faults: readonly string[];
  /** Pause between two faults, at least and at most, in ms. */
  everyMs: readonly [number, number];
  /** How much longer than the lease a recovery from kill -9 may take. */
  slackMs: number;
  /** Given all that a world was judged by. */
  keep?: (world: string, evidence: Evidence) => void;
  /** What happens is told here. */
  tell: (line: string) => void;
}

/** Schema of the jobs, and of what this test notes. */
export const jobs = 'chronis';
export const notes = 'chaos';

/** The role of the workers, whose settings are changed. */
export const role = 'chaos_worker';

/** How a handler leaves its effect; the id of a job begins with it. */
export const manners = ['plain', 'unique', 'transaction'] as const;
export type Manner = (typeof manners)[number];

/** Jobs that are made, changed, paused and deleted while all goes on. */
export const managedJobs = 4;

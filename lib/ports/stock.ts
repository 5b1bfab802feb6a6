import type { ScopeRef } from '../model/pause.js';
import type { EpochMs } from './epoch.ms.js';

/** Of each queue and level of priority no more due runs than this are counted: what is asked for often must not cost more the more there is. */
export const mostCounted = 10_000;
/** The same of dead letters of recurring jobs, of kept one-offs, the newest of them, and of runs that nobody can execute. */
export const mostKeptCounted = 1_000;

/** What a storage holds, for those who watch it: counts go as far as `mostCounted` and `mostKeptCounted`. */
export interface Stock {
  now: EpochMs;
  queues: QueueStock[];
  /** Runs that were put off, as no live worker can execute them. */
  unclaimable: { handler: string; runs: number }[];
  workers: {
    live: number;
    /** Whose lease has ended, and whose runs nobody has taken back yet. */
    lost: number;
  };
  /** How many scopes of a kind are paused; kinds without any are left out. */
  pauses: { kind: ScopeRef['kind']; scopes: number }[];
}

/** A queue that has something of this; those that have nothing are left out. */
export interface QueueStock {
  queue: string;
  /** Runs that are due, and that no pause of a scope stops. */
  due: number;
  /** Since when the first of them is due, or the first schedule that nobody has fired; null: neither is. */
  oldestDueAt: EpochMs | null;
  deadLetters: number;
}

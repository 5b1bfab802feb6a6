import type { Retention } from '../model/retention.js';
import type { Calendars } from '../model/trigger.js';

/** What an engine needs to know; all times in milliseconds. */
export interface EngineOptions {
  /** Name of the instance, for people. */
  name: string;
  /** Whose handlers these are: this process runs jobs of this app, declared or made at run time. */
  app: string;
  version: string;
  queues: readonly string[];
  /** The slow look that needs neither timers nor signals to be right. */
  pollMs: number;
  /** How long before they are due cursors are read, and at most how long before that they are fired, and runs claimed. 0: all of it when due. */
  lookAheadMs: number;
  leaseMs: number;
  /** An event loop that is blocked for longer counts as hung: its lease is not kept up from outside any more. 0: never is. */
  maxBlockedMs: number;
  /** Runs at a time in this process. */
  concurrency: number;
  /** Time for the whole of stop(), the grace of aborted handlers included. */
  shutdownTimeoutMs: number;
  /** Time between the signal to a handler and the verdict without it. */
  abortGraceMs: number;
  /** How long the ledger is kept, at least: it is that of all apps. */
  retention: Retention;
  /** A declared job that no live worker declares for so long is orphaned. */
  orphanGraceMs: number;
  /** Version of the time zone data that this process computes with, such as `2026a`. */
  zoneData: string;
  /** Exclusions that triggers refer to by name. */
  calendars: Calendars;
  /** Whether this process takes its turn in counting what the ledger comes to. */
  statistics: boolean;
  /** A pause without an end that has stood for so long may have been forgotten; null: none ever has. */
  pausedTooLongMs: number | null;
  /** Pause between two rounds of the janitor. */
  janitorMs: number;
}

export const engineDefaults = Object.freeze({
  zoneData: process.versions.tz ?? 'unknown',
  calendars: {} as Calendars,
  pollMs: 5_000,
  lookAheadMs: 1_000,
  leaseMs: 30_000,
  maxBlockedMs: 5 * 60_000,
  concurrency: 10,
  shutdownTimeoutMs: 25_000,
  abortGraceMs: 5_000,
  retention: {
    defaultMs: 30 * 86_400_000,
    byVerdict: {},
    historyMs: 90 * 86_400_000,
    auditMs: 90 * 86_400_000,
  },
  statistics: false,
  pausedTooLongMs: 7 * 86_400_000,
  orphanGraceMs: 10 * 60_000,
  janitorMs: 60_000,
});

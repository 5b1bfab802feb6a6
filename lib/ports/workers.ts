import type { Retention } from '../model/retention.js';
import type { EpochMs } from './epoch.ms.js';

export interface WorkerRegistration {
  /** Random for every registration; never used again. */
  id: string;
  /** The name of the instance, for people. */
  name: string;
  app: string;
  generation: number | null;
  host: string;
  pid: number;
  version: string;
  /** `process.versions.tz`. */
  zoneData: string;
  queues: readonly string[];
  handlers: readonly string[];
  /** How long it wants the record kept; null: it does not say. */
  retention: Retention | null;
  /** How many runs it takes at a time; absent or null: it does not say. */
  slots?: number | null;
}

/** How a worker fares, as it tells with its renewals. */
export interface WorkerCondition {
  /** How far its wall clock is ahead of the storage's, in ms; below 0: behind it. */
  clockOffsetMs: number;
  /** By how much its event loop was late at most since the renewal before, in ms. */
  loopLagMs: number;
}

/** A worker that is or was alive. */
export interface WorkerInfo extends WorkerRegistration {
  startedAt: Date;
  leaseUntil: Date;
  running: number;
  slots: number | null;
  /** As it has told last; null: it has not. */
  condition: WorkerCondition | null;
}

export interface Renewal {
  now: EpochMs;
  /** null: the lease has ended or was taken away. It cannot be revived: its runs may be others' already. */
  leaseUntil: EpochMs | null;
  /** Runs held by this worker that somebody asked to cancel. While it has none in hands (`running`) they may be told with every third renewal only. */
  cancelled: string[];
  /** The set that this worker carries was last synced beside other sets than live workers carry now. Told by the third renewal at the latest. */
  outOfSync: boolean;
  /**
   * Where the lease stood before this renewal; null: the storage does not know the worker. Earlier than the renewal before has told: the storage has lost commits. Absent: it cannot
   * tell.
   */
  stoodUntil?: EpochMs | null;
  /** Why `cancelled` and `outOfSync` could not be told this time, though the lease is renewed; a later renewal tells them. */
  failure?: unknown;
}

/** What a worker can execute: runs with these queues and handlers, of this app, or of none. */
export interface Capability {
  workerId: string;
  app: string;
  queues: readonly string[];
  handlers: readonly string[];
}

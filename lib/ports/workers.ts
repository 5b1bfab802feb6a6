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
}

/** A worker that is or was alive. */
export interface WorkerInfo extends WorkerRegistration {
  startedAt: Date;
  leaseUntil: Date;
  running: number;
}

export interface Renewal {
  now: EpochMs;
  /** null: the lease has ended or was taken away. It cannot be revived: its runs may be others' already. */
  leaseUntil: EpochMs | null;
  /** Runs held by this worker that somebody asked to cancel. */
  cancelled: string[];
  /** The set that this worker carries was last synced beside other sets than live workers carry now. */
  outOfSync: boolean;
}

/** What a worker can execute: runs with these queues and handlers, of this app, or of none. */
export interface Capability {
  workerId: string;
  app: string;
  queues: readonly string[];
  handlers: readonly string[];
}

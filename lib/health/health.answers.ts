import type { HealthReason, SchedulerHealth } from '../index.js';

/** Something that was found: by the codes of `scheduler.health()`, of the doctor, and those that this door adds. @publicApi */
export interface FoundReason {
  code:
    | HealthReason['code']
    | 'health.loop-stuck'
    | 'health.starting'
    | 'health.draining'
    | 'health.stopped'
    | 'doctor.clock'
    | 'doctor.zone-data';
  severity: HealthReason['severity'];
  sentence: string;
}

/** Whether the process should go on living: what a restart would not mend is no reason. @publicApi */
export interface LiveAnswer {
  live: boolean;
  reasons: FoundReason[];
}

/** Whether it should get work: requests, and the next instance its turn in a deploy. @publicApi */
export interface ReadyAnswer {
  ready: boolean;
  reasons: FoundReason[];
}

/**
 * `ok` · `degraded`: it works, and somebody should see to something · `failing`: it should work, and does not · `unknown`: the storage does not answer, so nobody can say. @publicApi
 */
export type HealthWord = 'ok' | 'degraded' | 'failing' | 'unknown';

/** How it is. @publicApi */
export interface HealthAnswer extends Pick<
  SchedulerHealth,
  'state' | 'since' | 'running' | 'lease' | 'storage'
> {
  status: HealthWord;
  /** The problems first. */
  reasons: FoundReason[];
}

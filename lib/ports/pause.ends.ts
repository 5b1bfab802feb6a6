import type { Pause } from '../model/job.js';
import type { StandingPause } from '../model/pause.js';
import type { EpochMs } from './epoch.ms.js';
import type { ScopeResumption, StorageAdapter } from './storage.adapter.js';

/** What somebody has asked for. */
export interface PauseOrder extends Pick<Pause, 'reason' | 'by'> {
  /** When it ends by itself. Null, or absent: it does not. */
  until?: EpochMs | null;
}

/** Where jobs go on whose pauses have come to their end. */
export interface PauseEndPlans {
  job: (ref: { namespace: string }) => Parameters<StorageAdapter['resumeJob']>[1];
  scope: ScopeResumption;
}

export interface EndedPauses {
  ended: StandingPause[];
  /** Others may have come to their end as well. */
  more: boolean;
  /** Those that stand as they did, each for a reason of its own: to be tried again later. Absent: none. */
  refused?: { row: string; error: unknown }[];
}

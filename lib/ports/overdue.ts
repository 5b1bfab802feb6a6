import type { OverdueJob } from '../model/overdue.js';

/** What of a look at jobs that say `lateAfter`. */
export interface OverdueLook {
  /** Whether any job says it: where none does, nobody need ask again soon. */
  watched: boolean;
}

export interface OverdueJobs extends OverdueLook {
  jobs: OverdueJob[];
}

export interface OverdueNews extends OverdueLook {
  /** What is overdue, and of which nobody was told. */
  begun: OverdueJob[];
  /** Of what somebody was told, and is not any more: it has begun or has its verdict, or the job is paused, gone or without `lateAfter`. */
  ended: OverdueJob[];
}

/** Which recurring jobs are overdue, by the clock of the storage: an instant of the schedule that has not fired, or whose run has never been begun, `lateAfter` after it. What stands still by a pause is not. */
export interface OverdueStore {
  /** The longest overdue first, up to `limit`. `namespace`: only those of this one. */
  queryOverdue(limit: number, namespace?: string): Promise<OverdueJobs>;
  /** Notes what is overdue, and what is not any more, up to `limit` of each. Each instant is told to one caller, whoever asks at the same time. */
  noteOverdue(limit: number): Promise<OverdueNews>;
}

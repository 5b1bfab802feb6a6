import type { HotMinute } from '../scheduler/forecast.js';
import type { InstantRemark } from '../triggers/clock.remarks.js';

/** A job with its schedule, as it is or will be. @publicApi */
export interface PlannedSchedule {
  /** In plain English. */
  schedule: string;
  timeZone: string;
  /** The next times: three at most. Empty: it has none, or is paused. */
  next: Date[];
}

/** A job that is not stored yet. @publicApi */
export interface PlannedNewJob {
  namespace: string;
  id: string;
  /** Where the code declares it: `ReportService.daily`. */
  place: string;
  after: PlannedSchedule;
  /** What changes of the clocks do within a year: four at most. */
  remarks: InstantRemark[];
}

/** A job that becomes another one. @publicApi */
export interface PlannedChangedJob extends PlannedNewJob {
  /** `renamed`: it had the id `from` · `adopted`: it fires again, as code declares it again · `superseded`: it does not fire any more, as its method runs under another id. */
  kind: 'changed' | 'renamed' | 'adopted' | 'superseded';
  /** Its id until now. */
  from: string;
  /** Its app until now, where that is another one. */
  fromApp: string | null;
  /** It stays paused, by itself or with what it is of: it has no next times. */
  isPaused: boolean;
  /** What becomes different: `schedule`, `handler`, `payload`, `maxRetries` and so on. Empty: only what the code says, which is changed at run time. */
  fields: string[];
  /** What is changed at run time, and stays so. */
  changedAtRunTime: string[];
  before: PlannedSchedule;
}

/** A job that the code does not declare any more. @publicApi */
export interface PlannedGoneJob {
  namespace: string;
  id: string;
  /** What becomes of it when no live worker declares it any more, and the grace is over. `deleted`: as `orphans` says. */
  outcome: 'orphaned' | 'deleted';
  /** A live worker declares it at present, as the release before does, or another role of the app. */
  isDeclared: boolean;
  before: PlannedSchedule;
}

/** Workflows in the code, by name. @publicApi */
export interface PlannedWorkflows {
  created: string[];
  /** Its steps or options: runs that begin later get a new version. */
  changed: { name: string; fromVersion: number }[];
  /** Stored as those of this app, and not in the code any more. */
  gone: { name: string; version: number }[];
}

/** What a deploy of this code would change. @publicApi */
export interface DeployPlan {
  app: string;
  /** By the clock of the storage. */
  at: Date;
  /** Whether nothing would change. */
  isEmpty: boolean;
  created: PlannedNewJob[];
  changed: PlannedChangedJob[];
  gone: PlannedGoneJob[];
  /** Ids that belong to jobs of others, or were made at run time: a start of this code is refused. */
  taken: { namespace: string; id: string; place: string }[];
  unchanged: number;
  workflows: PlannedWorkflows;
  /** Handlers, or types of tasks, that jobs made at run time need and this code lacks, a sentence each. */
  lacks: string[];
  /** What keeps lists from being known, a sentence each, such as a job file that is broken: its jobs are not looked at. */
  warnings: string[];
  /** Of the next 24 hours, by all jobs of the storage. */
  hotMinutes: { before: HotMinute[]; after: HotMinute[] };
}

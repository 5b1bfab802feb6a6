import type { JsonValue } from './json.js';
import type { PauseScope } from './pause.js';

/** What can be done in somebody's name, as the record has it. */
export const auditActions = [
  'create',
  'createMany',
  'upsert',
  'update',
  'reset',
  'pause',
  'resume',
  'delete',
  'cancel',
  'cancelRun',
  'runNow',
  'backfill',
  'pauseMany',
  'resumeMany',
  'cancelMany',
  'deleteMany',
  'pauseScope',
  'resumeScope',
  'retryRun',
  'discardRun',
  'retryFailed',
  'discardFailed',
  'complete',
  'fail',
  'signal',
  'workflow.start',
  'workflow.cancel',
  'workflow.pause',
  'workflow.resume',
  'workflow.retry',
  'workflow.complete',
  'workflow.fail',
  'workflow.prune',
  'definition.define',
  'definition.delete',
  'definition.prune',
] as const;

/** Those of a run that are shown with it. */
export const runRequests = [
  'runNow',
  'retryRun',
  'cancelRun',
  'complete',
  'fail',
] as const satisfies readonly AuditAction[];

/** @publicApi */
export type AuditAction = (typeof auditActions)[number];

/** Who does something, and why. @publicApi */
export interface Actor {
  /** Who: one line, at most 255 characters. */
  by: string;
  /** Why: one line, at most 500 characters. @default nothing is said */
  note?: string;
  /** What the logs of the application call the request by. One line. @default none */
  requestId?: string;
  /**
   * One change is made once with the same key of the same actor: sent again, also at once and to another process, the call does nothing and throws RequestRepeatedError, which has the entry of the first. It counts for as long as the entry is kept, a day at least. A call
   * that throws, or comes to nothing, leaves the key free. One line, at most 255 characters. @default none
   */
  requestKey?: string;
  /** What was asked for, such as a digest of the request: kept with the key, for who has to tell a repetition from another request with the same key. One line, at most 255 characters. @default none */
  requestDigest?: string;
}

/** The mark of a change that is made once. @publicApi */
export interface AuditRequest {
  /** `requestKey` of the actor. */
  key: string;
  /** `requestDigest` of the actor. */
  digest: string | null;
  /** What the change came to, as JSON: the run, the report and so on; null where the entry tells all, and of jobs, whose payloads may be secret. */
  answer: JsonValue;
}

/** Something that was done in somebody's name. @publicApi */
export interface AuditEntry {
  id: string;
  at: Date;
  action: AuditAction;
  actor: string;
  note: string | null;
  requestId: string | null;
  /** Of the job, of the run, or what a change of many was confined to; null: of none, or of several. */
  namespace: string | null;
  jobId: string | null;
  /** The run that it was about, or that came of it. */
  runId: string | null;
  /** What was paused, or resumed, as a whole. */
  scope: PauseScope | null;
  /** By the action: `{ before, after }` of the options that were changed, the filter of a change of many, and so on. Payloads, and whatever is long, by size and SHA-256 only. */
  details: JsonValue;
  /** How many jobs or runs it was. */
  count: number;
  /** Absent: it was asked for without `requestKey`. */
  request?: AuditRequest;
}

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
}

import type { DurableStepKind } from '../model/durable.step.js';
import type { StoredChanges } from '../model/job.changes.js';
import type { DefinitionKind } from '../model/definition.js';
import type { JobRef, JobSource } from '../model/job.js';
import type { Policies } from '../model/policies.js';
import type { Retention } from '../model/retention.js';
import type { RunOrigin } from '../model/run.js';
import type { Trigger, TriggerType } from '../model/trigger.js';
import type { GapVerdict, Outcome, RunVerdict } from '../model/verdict.js';
import type { CarriedDeclaration, OrphanReason } from '../ports/storage.adapter.js';

// Rows as TypeORM reads them; docs/reference/tables.md explains them. Numbers of 64 bits are text; JSON is unknown, since
// TypeORM's types for conditions cannot cope with recursive ones.

/** A recurring or manual job. @publicApi */
export interface ChronisJob {
  uid: string;
  namespace: string;
  id: string;
  name: string | null;
  source: JobSource;
  app: string | null;
  generation: number;
  handler: string;
  queue: string;
  priority: number;
  trigger: Trigger;
  triggerType: TriggerType;
  timeZone: string;
  payload: unknown;
  metadata: Record<string, unknown>;
  policies: Partial<Policies>;
  definitionHash: string;
  pausedAt: Date | null;
  pausedReason: string | null;
  pausedBy: string | null;
  undeclaredSince: Date | null;
  orphanedAt: Date | null;
  /** null: of an older release, or not orphaned. */
  orphanedReason: OrphanReason | null;
  /** The ids that it had, the latest last. */
  previousIds: string[];
  /** What was changed at run time of a declared job, by option, and the `definition_hash` under which that holds. */
  changed: { hash: string; options: StoredChanges } | null;
  openGap: string | null;
  fired: number;
  /** The last instant that a firing has dealt with, while there is no cursor. */
  firedUntil: Date | null;
  revision: number;
  createdAt: Date;
  updatedAt: Date;
}

/** Where a recurring job stands. @publicApi */
export interface ChronisCursor {
  jobUid: string;
  namespace: string;
  handler: string;
  queue: string;
  /** Infinity while a fixed delay waits for the end of the run. */
  nextAt: Date | number;
  delayMs: string | null;
  revision: number;
  fired: number;
  /** The last instant that a firing has dealt with. */
  firedUntil: Date | null;
  /** Whose handler is meant; null: anybody's who has one of this name. */
  app: string | null;
}

/** An occurrence to be executed, or a one-off. @publicApi */
export interface ChronisRun {
  id: string;
  namespace: string;
  jobId: string;
  keyed: boolean;
  jobUid: string | null;
  /** `reserved`: holds the id of a recurring job, and nothing else. */
  origin: RunOrigin | 'reserved';
  handler: string;
  queue: string;
  priority: number;
  /** Levels that the janitor has added, as the run is overdue. */
  lifted: number;
  nominalAt: Date;
  dueAt: Date | null;
  held: boolean;
  heldDueAt: Date | null;
  /** As long as it is `dueAt`, the run was put off, as no live worker could execute it. */
  deferredUntil: Date | null;
  blocked: boolean;
  blocks: boolean;
  missed: number;
  attempt: number;
  fence: number;
  lostCount: number;
  worker: string | null;
  /** The same worker, once it has had the run for a while. */
  parkedBy: string | null;
  startedAt: Date | null;
  claimedHandler: string | null;
  claimedQueue: string | null;
  cancelRequested: boolean;
  lastAttempt: boolean;
  retryOf: string | null;
  /** The recurring job whose dead letter this is. */
  deadOf: string | null;
  verdict: RunVerdict | null;
  finishedAt: Date | null;
  keepUntil: Date | null;
  lastError: string | null;
  /** Of that, see `Attempt.fingerprint`; null: there is none, or it was stored by a release before schema version 6. */
  lastFingerprint: string | null;
  /** In which trace it was asked for, see `TraceCarrier`; null: in none. */
  traceParent: string | null;
  /** That of its last attempt that did not end it; null: there is none. */
  lastTrace: string | null;
  name: string | null;
  source: JobSource | null;
  app: string | null;
  trigger: Trigger | null;
  timeZone: string | null;
  payload: unknown;
  metadata: Record<string, unknown> | null;
  policies: Partial<Policies> | null;
  definitionHash: string | null;
  pausedAt: Date | null;
  pausedReason: string | null;
  pausedBy: string | null;
  revision: number | null;
  createdAt: Date | null;
  updatedAt: Date | null;
  runCount: number;
  errorCount: number;
  consecutiveFailures: number;
  lastRunAt: Date | null;
  lastVerdict: RunVerdict | null;
  /** The fence of the claim that has left it open. */
  openedFence: number | null;
  openedAt: Date | null;
  /** The step of a workflow that it is. */
  flowStep: string | null;
  /** The workflow that it is, open. */
  flow: string | null;
  awaitingFence: number | null;
  signalledFence: number | null;
}

/** A row of the ledger: one execution of a run. @publicApi */
export interface ChronisAttempt {
  runId: string;
  jobUid: string | null;
  namespace: string;
  jobId: string;
  handler: string;
  queue: string;
  origin: RunOrigin;
  nominalAt: Date;
  attempt: number;
  fence: number;
  worker: string | null;
  outcome: Outcome;
  final: boolean;
  startedAt: Date | null;
  finishedAt: Date;
  error: string | null;
  /** What failures of one kind have in common; null: it has not failed, or it was stored by a release before schema version 6. */
  errorFingerprint: string | null;
  result: unknown;
  retryOf: string | null;
}

/** A range of due instants that did not run. @publicApi */
export interface ChronisGap {
  id: string;
  jobUid: string;
  namespace: string;
  jobId: string;
  fromAt: Date;
  untilAt: Date | null;
  verdict: GapVerdict;
  count: number;
  reason: string;
}

/** A pause of a handler, a queue, a namespace or everything. @publicApi */
export interface ChronisPause {
  kind: 'handler' | 'queue' | 'namespace' | 'all';
  /** Empty for `all`. */
  name: string;
  pausedAt: Date;
  pausedReason: string | null;
  pausedBy: string | null;
}

/** A change of many that the REST API does. @publicApi */
export interface ChronisBulkAction {
  id: string;
  /** null: who has begun it is confined to none. */
  tenant: string | null;
  action: string;
  /** As it was frozen at the beginning. */
  filter: unknown;
  /** How many it concerns at most. */
  expected: string;
  /** A sum of the request. */
  asked: string;
  actor: string | null;
  /** The process that does it. */
  owner: string;
  /** While it is running; it was interrupted if that is over. */
  leaseUntil: Date;
  abortRequested: boolean;
  state: string;
  matched: string;
  changed: string;
  failed: unknown;
  problem: unknown;
  createdAt: Date;
  endedAt: Date | null;
}

/** What was told as overdue, and is still. @publicApi */
export interface ChronisOverdue {
  namespace: string;
  jobId: string;
  /** The instant of its schedule that has not begun in time. */
  dueAt: Date;
  lateAfterMs: number;
}

/** When a pause ends by itself. @publicApi */
export interface ChronisPauseEnd {
  kind: 'job' | 'handler' | 'queue' | 'namespace' | 'all';
  /** Of the job; empty for all others. */
  namespace: string;
  /** The id of the job, or what is paused; empty for `all`. */
  name: string;
  /** When that was paused; it is over where this is not when it was paused last. */
  pausedAt: Date;
  /** When it ends; `Infinity`: it does not, and somebody was told that it stands for long. */
  untilAt: Date;
}

/** A durable step that has ended, or waits. @publicApi */
export interface ChronisRunStep {
  runId: string;
  name: string;
  kind: DurableStepKind;
  /** Which step of its run it was, from 1; null: it ran beside others, or came after such. */
  position: number | null;
  attempt: number;
  startedAt: Date;
  /** null: it has not ended. */
  finishedAt: Date | null;
  /** The how manieth of its run's steps it was to end, from 1; null: it has not. */
  ended: number | null;
  /** Until when it sleeps, waits for its signal or for its retry; null: for ever, or for nothing. */
  waitUntil: Date | null;
  /** The name of the signal that it waits for, or has waited for; null: for none. */
  signal: string | null;
  timedOut: boolean;
  /** How often it has failed since it was tried the first time. */
  failures: number;
  error: string | null;
  result: unknown;
  /** The step of a workflow that its run is, or was; null: of none, or it was stored by a release before schema version 6. */
  flowStep: string | null;
}

/** A version of what jobs are started from. @publicApi */
export interface ChronisDefinition {
  id: string;
  namespace: string;
  name: string;
  version: number;
  kind: DefinitionKind;
  app: string;
  source: JobSource;
  spec: unknown;
  /** JSON Schema; null: anything goes. */
  paramsSchema: unknown;
  hash: string;
  createdAt: Date;
  createdBy: string | null;
  deletedAt: Date | null;
}

/** A program that tasks of the type `binary` bring along. @publicApi */
export interface ChronisBinary {
  sha256: string;
  size: number;
  storedAt: Date;
  usedAt: Date;
  bytes: Buffer;
}

/** What was written at once to the log of a run. @publicApi */
export interface ChronisRunLog {
  runId: string;
  fence: number;
  part: number;
  attempt: number;
  /** Of the last of the lines. */
  at: Date;
  lineCount: number;
  bytes: number;
  /** How many lines before these are not kept. */
  dropped: number;
  lines: unknown;
}

/** How far a run is. @publicApi */
export interface ChronisRunProgress {
  runId: string;
  fence: number;
  attempt: number;
  at: Date;
  /** From 0 to 1. */
  fraction: number;
  details: unknown;
}

/** Something that was done in somebody's name. @publicApi */
export interface ChronisAudit {
  id: string;
  at: Date;
  action: string;
  actor: string;
  note: string | null;
  requestId: string | null;
  namespace: string | null;
  jobId: string | null;
  runId: string | null;
  scopeKind: string | null;
  scopeName: string | null;
  details: unknown;
  count: number;
  batch: string | null;
  requestKey: string | null;
  request: unknown;
}

/** What the attempts of one handler came to that ended in one way within a minute, an hour or a day. @publicApi */
export interface ChronisStatistics {
  startAt: Date;
  namespace: string;
  queue: string;
  handler: string;
  verdict: Outcome;
  runs: string;
  attempts: string;
  durationMs: string;
  longestMs: string;
  /** As `StatisticsRow.lateness`. */
  lateness: string[];
}

/** A signal that no wait of its run has taken yet. @publicApi */
export interface ChronisRunSignal {
  id: string;
  runId: string;
  name: string;
  sentAt: Date;
  payload: unknown;
  /** The step of a workflow that its run is, or was; null: of none, or it was stored by a release before schema version 6. */
  flowStep: string | null;
}

/** The counters of a recurring job. @publicApi */
export interface ChronisJobStat {
  jobUid: string;
  runCount: string;
  errorCount: string;
  consecutiveFailures: number;
  lastRunAt: Date | null;
  lastVerdict: RunVerdict | null;
  lastError: string | null;
}

/** A process that works, or did. @publicApi */
export interface ChronisWorker {
  id: string;
  name: string;
  app: string;
  generation: number | null;
  host: string;
  pid: number;
  version: string;
  zoneData: string;
  queues: string[];
  handlers: string[];
  startedAt: Date;
  leaseUntil: Date;
  /** How long the lease is from each beat on; null: of an older release. */
  leaseMs: number | null;
  /** What it has claimed may be due until then, as the clock was ahead and has been set back; null: it has not. */
  reached: Date | null;
  releasedAt: Date | null;
  running: number;
  /** How long it wants the record kept; null: of an older release. */
  retention: Retention | null;
  /** How many runs it takes at a time; null: of an older release. */
  slots: number | null;
  /** How far its clock was ahead of the server's at its last beat, in ms; null: it has had none. */
  clockOffsetMs: number | null;
  /** By how much its event loop was late at most before its last beat, in ms; null: it has had none. */
  loopLagMs: number | null;
  /** The places of workflow steps that it executes though they were given up; null: none. */
  givenUp: string[] | null;
}

/** A set of declarations of an app. @publicApi */
export interface ChronisRelease {
  generation: number;
  app: string;
  setHash: string;
  declared: string[];
  /** null: of an older release. */
  declarations: CarriedDeclaration[] | null;
  /** The order in which sets appeared; null: of an older release. */
  place: string | null;
  /** The sets that live workers carried when this one was last synced; null: something is left to do. */
  syncedBeside: string | null;
  /** Declared otherwise than they are, as the last sync found. */
  outranked: JobRef[] | null;
  firstSeen: Date;
}

/** A lock, held or not. @publicApi */
export interface ChronisLock {
  key: string;
  owner: string | null;
  fence: string;
  expiresAt: Date;
  /** For how long it is had from each time on that it is taken or extended; null: by an older release. */
  leaseMs: number | null;
}

import type { AuditAction } from './audit.js';
import type { JsonObject, JsonValue } from './json.js';
import type { Policies } from './policies.js';
import type { RunProgress } from './run.progress.js';
import type { GapVerdict, Outcome, RunVerdict } from './verdict.js';

/**
 * How a run came to be. `callback`: another run got its verdict, and its job has `onSuccess` or `onFailure` · `backfill`: asked for by hand for
 * a past instant of the schedule · `workflow`: it is a step of a workflow. @publicApi
 */
export type RunOrigin = 'schedule' | 'at' | 'manual' | 'retry' | 'callback' | 'backfill' | 'workflow';

/**
 * `waiting`: due later or now · `blocked`: waits for the end of an earlier run of its job (overlap) · `running`: claimed by a worker
 * · `open`: its handler has ended, and its verdict comes from outside · `paused`: held by a pause · else its verdict. @publicApi
 */
export type RunState = 'waiting' | 'blocked' | 'running' | 'open' | 'paused' | RunVerdict;

/**
 * One occurrence of a job that is stored, from its birth to its verdict. One that gave up stays as a dead letter: of a one-off until it is
 * retried or discarded, of a recurring job for as long as its ledger row at most. @publicApi
 */
export interface Run {
  /** Unique for ever in its database, never reused: good as an idempotency key. */
  id: string;
  jobId: string;
  namespace: string;
  handler: string;
  queue: string;
  priority: number;
  origin: RunOrigin;
  /** The instant the trigger names. */
  nominalAt: Date;
  /** When it may be claimed; of an open run its deadline. Null while it runs to its end, is open for ever, is blocked or paused, or has a verdict. */
  dueAt: Date | null;
  state: RunState;
  /** Attempts begun. */
  attempt: number;
  fence: number;
  lostCount: number;
  worker: string | null;
  /** When the present attempt began; of an open run the one that has opened it. */
  startedAt: Date | null;
  /** Of the last attempt that failed, see `errorParts`. The retry of a one-off that has given up begins with what it gave up by. */
  lastError: string | null;
  /** Of that error, see `Attempt.fingerprint`. */
  lastFingerprint: string | null;
  /** When it got its verdict; null: it has none. */
  finishedAt: Date | null;
  /** The id of the run that gave up, of which this is the retry by hand. */
  retryOf: string | null;
}

/** Who has asked for something about a run, as the record has it: the last that was done to it by its id, or that it came of. @publicApi */
export interface RunRequest {
  /** The actor of `withActor`; null: nobody has asked for it in a name, or it was one of many in one call, or the entry is older than `keepAudit`. */
  requestedBy: string | null;
  /** What was done: `runNow`, `retryRun`, `cancelRun`, `complete` or `fail`. */
  requestedAction: AuditAction | null;
  /** What the actor has said to it. */
  note: string | null;
}

/** A run as queries tell of it. @publicApi */
export interface ListedRun extends Run, RunRequest {
  /** What its handler has told last by `context.progress()`; null: nothing, or it is not kept any more. */
  progress: RunProgress | null;
}

/** What `runNow` came to. @publicApi */
export interface RequestedRun extends Run {
  /** It is a one-off that runs, or is open, so nothing was done. */
  alreadyRunning: boolean;
}

export function requestedRun(run: Run): RequestedRun {
  return { ...run, alreadyRunning: run.state === 'running' || run.state === 'open' };
}

/** A run in the hands of a worker: everything it needs to execute it. */
export interface ClaimedRun {
  id: string;
  /** The worker that has it. */
  worker: string;
  /** With the worker the proof of ownership; every change to the run must show both. */
  fence: number;
  /** Which execution this is, from 1. */
  attempt: number;
  lostCount: number;
  /** The storage's own key of the recurring job; null for one-offs. */
  jobUid: string | null;
  jobId: string;
  jobName: string | null;
  namespace: string;
  /** Whose handler is meant; null: that of any app. */
  app: string | null;
  handler: string;
  queue: string;
  priority: number;
  origin: RunOrigin;
  payload: JsonValue;
  metadata: JsonObject;
  policies: Partial<Policies>;
  timeZone: string;
  nominalAt: number;
  dueAt: number;
  /** How many earlier instants this run stands for (misfire policy `once`). */
  missed: number;
  /** An open run, whose deadline has passed: when the attempt began that has opened it. Absent: it is to be executed. */
  openedAt?: number;
  /** Which step of a workflow it is. Absent: none. */
  flowStep?: ClaimedStep;
  /** Of which traces it is a part. Absent: of none. */
  trace?: CarriedTrace;
}

/** What a run carries of the traces that led to it, each as text: see `TraceCarrier`. */
export interface CarriedTrace {
  /** In which it was asked for: its job was created, or it was run now or retried by hand. Of a callback the attempt that it is about; of a step of a workflow the attempt that opened that. null: in none. */
  parent: string | null;
  /** Its attempt before this one, also of the run that it retries. null: there was none, or it was in no trace. */
  last: string | null;
}

/** Which step of which workflow run a claimed run executes. */
export interface ClaimedStep {
  /** The run that the workflow is. */
  flowRunId: string;
  workflow: string;
  /** Of its definition; null: it has none. */
  version: number | null;
  name: string;
  /** Which item of a map, from 0; null: it is none. */
  nth: number | null;
  /** 1: of a workflow that is no step itself; 2: of one that is a step of that, and so on. */
  depth: number;
  /** Which step it is, whatever run it has: the same after a retry by hand of the workflow, or of that in which it is. Followed by a slash: where those are that it opens as a workflow. */
  place: string;
  params: JsonValue;
}

/** A row of the ledger: one execution of a run. @publicApi */
export interface Attempt {
  runId: string;
  jobId: string;
  namespace: string;
  handler: string;
  queue: string;
  origin: RunOrigin;
  nominalAt: Date;
  attempt: number;
  fence: number;
  /** null: it never reached one · `outside`: the verdict of an open run, by `complete()` or `fail()`. */
  worker: string | null;
  outcome: Outcome;
  /** Whether this row is the run's verdict. Exactly one is. */
  final: boolean;
  /** null: it never started. */
  startedAt: Date | null;
  finishedAt: Date;
  /** Messages, then frames: `errorParts` takes them apart. */
  error: string | null;
  /** What failures of one kind have in common, 16 hex digits; null: it has not failed, or a release stored it that knew of none. */
  fingerprint: string | null;
  result: JsonValue;
  /** The id of the run that gave up, of which this run is the retry by hand. */
  retryOf: string | null;
}

/** A range of due instants that did not run. @publicApi */
export interface Gap {
  jobId: string;
  namespace: string;
  from: Date;
  /** null: still open. */
  until: Date | null;
  verdict: GapVerdict;
  count: number;
  reason: string;
}

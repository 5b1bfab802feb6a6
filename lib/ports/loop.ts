import type { JobRef } from '../model/job.js';
import type { JsonValue } from '../model/json.js';
import type { OverlapPolicy, Policies } from '../model/policies.js';
import type { ClaimedRun } from '../model/run.js';
import type { Trigger } from '../model/trigger.js';
import type { GapVerdict, Outcome } from '../model/verdict.js';
import type { NewJob } from './definitions.js';
import type { EpochMs } from './epoch.ms.js';
import type { NewFlow, StepEnd } from './flows.js';
import type { Capability } from './workers.js';

/** A recurring job whose next nominal time has come. */
export interface DueCursor {
  jobUid: string;
  jobId: string;
  namespace: string;
  handler: string;
  nominalAt: EpochMs;
  revision: number;
  /** Nominal instants fired so far under this trigger: setting the cursor by a changed definition begins anew, a resume goes on. */
  fired: number;
  trigger: Trigger;
  timeZone: string;
  policies: Partial<Policies>;
}

/** One occurrence to be born. */
export interface Birth {
  nominalAt: EpochMs;
  /** Nominal time plus jitter. */
  dueAt: EpochMs;
  /** Earlier instants that this run stands for. */
  missed: number;
}

/** A range of instants that will not run. */
export interface NewGap {
  from: EpochMs;
  until: EpochMs;
  verdict: GapVerdict;
  count: number;
  reason: string;
}

/** What shall happen to one due cursor. */
export interface Firing {
  jobUid: string;
  /** The cursor as it was read: the compare of the compare-and-set. */
  nominalAt: EpochMs;
  revision: number;
  /** null: there is no further instant; the cursor goes. Infinity (fixed delay): the cursor waits for the run to end. */
  nextAt: EpochMs | null;
  /** The last instant that it deals with. None up to it is born again by the schedule of this job, however its times are changed. */
  until: EpochMs;
  /** New total of fired instants. */
  fired: number;
  /** `wait`: nothing happens, so the cursor stays, while a run of the job has no verdict. */
  overlap: OverlapPolicy | 'wait';
  /** In order of nominal time. */
  births: readonly Birth[];
  gaps: readonly NewGap[];
}

export interface FireResult {
  now: EpochMs;
  /** jobUids whose cursor was moved by this call; the others were fired or changed by somebody else. */
  moved: string[];
  /** Runs born claimed by this worker. */
  runs: ClaimedRun[];
  /** Runs born for anybody, since there was no room, they are due later, or they are blocked. */
  unclaimed: number;
  /** Instants not run because an earlier run was not finished. */
  skipped: { jobUid: string; nominalAt: EpochMs }[];
}

export interface ClaimResult {
  /** May be null where nothing was claimed. */
  now: EpochMs | null;
  /** By priority, then due time. */
  runs: ClaimedRun[];
  /** Runs that this call has found to be impossible to claim, each for a reason of its own. They stay as they are, and later calls pass over them for that time. Absent: none. */
  refused?: RefusedRun[];
}

/**
 * Proof that a run is in the hands of a worker. The fence tells the claims of a run apart; the worker tells a claim from one with the same number that was made
 * anew after the storage had lost the first (a standby that was behind took over, or a backup was restored).
 */
export interface Hold {
  runId: string;
  fence: number;
  worker: string;
}

/** How an attempt ended. */
export interface Settlement extends Hold {
  /**
   * `handed_back`: the worker shuts down; the run becomes due again, fence + 1, and the attempt is not counted. If its job was deleted or
   * somebody asked to cancel it, it ends as `cancelled` instead; with `recovery: 'abandon'` it ends as `lost`. `snoozed`: the same by the wish of the handler, due at `retryAt`, or, where that is Infinity, by a signal alone; see `sendRunSignal`. `opened`: the handler has ended, and the run stays open
   * until `settleOpen`; at `retryAt` (null: never) it is handed to a worker, with `openedAt`, which ends it.
   */
  outcome: Outcome;
  startedAt: EpochMs;
  finishedAt: EpochMs;
  /** Another attempt is due then; null: this outcome is the verdict. Ignored (so: final) when the job was deleted meanwhile or somebody asked to cancel the run. */
  retryAt: EpochMs | null;
  error: string | null;
  /** Of a failure: what those of one kind have in common, 16 hex digits. Absent or null: none; what is lost has `lostFingerprint` all the same. */
  fingerprint?: string | null;
  result: JsonValue;
  /** A hint whether the run is a one-off or a recurring job's, which may make it cheaper to write; changes nothing else. */
  oneOff?: boolean;
  /** A one-off to be born if `outcome` becomes the verdict of the run; null or absent: none. See `callbackOf`. */
  callback?: NewJob | null;
  /** With `opened`: the graph of steps that the run opens as. What comes of these is its verdict, see `FlowStorage`. Absent: it comes from outside. */
  flow?: NewFlow;
  /** The trace that the attempt was, which the next attempt of the run carries as the last one, and what it opens as gives to its steps. Absent: it was in none. */
  trace?: string;
  /** Of a run that is a step: what it ends as beside `outcome`. Absent: nothing. The result of a step may have `maxStepResult` bytes as JSON, of which the ledger keeps none where they are more than it keeps of others. */
  flowStep?: StepEnd;
}

/** Who may begin what ends of steps set off, and how much of it. */
export interface Hands {
  capability: Capability;
  room: number;
}

/** What became of settlements. Those that are named nowhere were lost to another owner or settled before, and nothing was written for them. */
export interface SettleResult {
  /** The ids of the runs whose settlement was written. */
  accepted: string[];
  /**
   * The ids of those that another transaction has locked, so that nothing can be said of them, and nothing was written: a later call may find them
   * accepted or refused. Empty where nothing is ever locked for long.
   */
  locked: string[];
  /** Those that the storage refuses for a reason of their own, such as a trigger, with nothing written; the others of the call are written. Who settles tries them again by themselves. Absent: none. */
  refused?: Omit<RefusedRun, 'retryInMs'>[];
  /** Runs of steps that were born by this in the hands of who has asked for them. Absent: none. */
  taken?: ClaimedRun[];
  /** When the first run of a step is due that was born by this for anybody; null: all are in hands, or none was born. Absent: nothing is known of what it has set off. */
  bornAt?: EpochMs | null;
}

/** A run that a worker gives back unstarted: no attempt, no ledger row. */
export interface Unstarted extends Hold {
  /** It is not due again before so many milliseconds are over. @default 0 */
  delayMs?: number;
}

export interface NextWake {
  now: EpochMs;
  /** The earliest cursor that this worker can fire; may be in the past. null: none. */
  cursorAt: EpochMs | null;
  /** When the earliest unclaimed run that this worker can execute is due; may be in the past. null: none. */
  runAt: EpochMs | null;
  /** When the lease of some other worker that may still hold runs ends (or ended). null: none. */
  leaseEndsAt: EpochMs | null;
  /** When the first pause comes to its end that this worker may end; may be in the past. Null, or absent: none. */
  pauseEndsAt?: EpochMs | null;
}

/** A run that the storage refuses to change as it is, such as one with a value that its database rejects, or that a trigger of somebody else protects. It keeps no other from going on. */
export interface RefusedRun {
  runId: string;
  error: unknown;
  /** When it is tried again, about. */
  retryInMs: number;
}

/** What became of runs that were given back. */
export interface GiveBackResult {
  /** The jobs of those that have ended as lost. */
  lost: JobRef[];
  /** Those that are as they were, as somebody else has locked them. */
  left: Unstarted[];
  /** Those that are as they were, each for a reason of its own: to be tried again later. Absent: none. */
  refused?: (RefusedRun & Unstarted)[];
}

export interface ReleaseResult {
  now: EpochMs;
  /** Those whose runs were taken back by this call. */
  workers: string[];
  /** Each with what became of it. */
  runs: {
    runId: string;
    jobId: string;
    namespace: string;
    handler: string;
    worker: string;
    verdict: 'lost' | 'cancelled' | null;
  }[];
  /** Runs of dead workers that were passed over, as somebody else has locked them: to be tried again alone. */
  left: string[];
  /** Runs of dead workers that could not be taken back for a reason of their own. They stay held; a later call for all tries them again. Absent: none. */
  refused?: RefusedRun[];
}

/** A cursor whose next time was computed with older zone data. */
export interface StandingCursor extends JobRef {
  trigger: Trigger;
  timeZone: string;
  nextAt: EpochMs;
  /** The last instant that was dealt with, or, later than that, the job's last change: what the next time is a function of. */
  since: EpochMs;
}

/** Where a cursor belongs; null: nowhere. */
export type CursorPlan = (cursor: StandingCursor) => EpochMs | null;

export interface Recomputation {
  /** The version that the times had been computed with; null: there was nothing to do. */
  from: string | null;
  /** The cursors that stand elsewhere now. */
  moved: (JobRef & { from: EpochMs; to: EpochMs | null })[];
}

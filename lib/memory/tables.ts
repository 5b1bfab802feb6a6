import type { Definition } from '../model/definition.js';
import type { JobDefinition, JobRef, JobSource } from '../model/job.js';
import type { CarriedTrace, Attempt, Gap, RunOrigin } from '../model/run.js';
import type { ScopeRef } from '../model/pause.js';
import type { StoredChanges } from '../model/job.changes.js';
import type { RunVerdict } from '../model/verdict.js';
import type {
  CarriedDeclaration,
  EpochMs,
  NewAudit,
  NewBulkAction,
  OrphanReason,
  NewRunProgress,
  NewRunSignal,
  RunLogPart,
  RunStep,
  RollupMark,
  StatisticsRow,
  StatisticsUnit,
  StoredBulkAction,
  StoredBinary,
  WorkerCondition,
  WorkerRegistration,
} from '../ports/storage.adapter.js';
import type { JsonValue } from '../model/json.js';
import type { RunEnd } from '../ports/run.ends.js';
import type { StepEnd } from '../ports/storage.adapter.js';
import type { Wake } from '../ports/wake.signal.js';
import { DueIndex } from './due.index.js';
import type { FlowRow, FlowStepRow } from './flow.rows.js';
import type { LockTable } from './memory.lock.js';

/** A job, recurring or one-off. */
export interface JobRow {
  uid: string;
  /** A one-off has exactly one run, which is there as long as the job is. */
  kind: 'recurring' | 'one-off';
  /** Never changed in place. */
  definition: JobDefinition;
  definitionHash: string;
  source: JobSource;
  app: string | null;
  generation: number;
  createdAt: EpochMs;
  updatedAt: EpochMs;
  revision: number;
  /** Of a declared job: what was changed at run time. Never changed in place. */
  changed: StoredChanges | null;
  /** Never changed in place. */
  pause: OwnPause | null;
  orphanedAt: EpochMs | null;
  orphanedReason: OrphanReason | null;
  /** The ids that it had, the latest last. */
  previousIds: readonly string[];
  /** The next nominal time; Infinity: when a run has ended (fixed delay); null: none. */
  cursorAt: EpochMs | null;
  /** Nominal instants fired under this trigger. */
  fired: number;
  /** The last instant that a firing has dealt with. */
  firedUntil: EpochMs | null;
  /** Begun by a pause or by orphaning; where the cursor stood. */
  openGap: GapRow | null;
  /** Without verdict; of a one-off its run, whatever its state. */
  runs: Set<RunRow>;
  /** Of a recurring job: runs that gave up, the oldest first. Those of a one-off are its run. */
  deadLetters: Set<RunRow>;
  statistics: Statistics;
}

/** What a job's attempts came to. */
export interface Statistics {
  runCount: number;
  errorCount: number;
  consecutiveFailures: number;
  lastRunAt: EpochMs | null;
  lastVerdict: RunVerdict | null;
  lastError: string | null;
}

/** One occurrence to be executed. */
export interface RunRow {
  id: string;
  /** The definition is looked up here at every claim; a copy of it once the run is detached. */
  job: JobRow;
  /** Its job was deleted or has got another run: it ends with its attempt. */
  detached: boolean;
  origin: RunOrigin;
  nominalAt: EpochMs;
  /** When it may be claimed, or could when it was. */
  dueAt: EpochMs;
  /** As long as it is `dueAt`, the run was put off, as no live worker could execute it. */
  deferredUntil: EpochMs | null;
  /** By how many levels of priority, as it is overdue. */
  lifted: number;
  /** By a pause. */
  held: boolean;
  /** The earlier runs whose end it waits for. */
  readonly blockedBy: Set<RunRow>;
  /** One of the backfilled runs that run one after the other. */
  inQueue: boolean;
  missed: number;
  attempt: number;
  fence: number;
  lostCount: number;
  worker: string | null;
  startedAt: EpochMs | null;
  /** What the present attempt was claimed as. */
  claimedAs: { handler: string; queue: string };
  cancelRequested: boolean;
  /** Its verdict comes from outside, since the attempt that began then; `deadline` null: for ever. */
  open: { since: EpochMs; deadline: EpochMs | null } | null;
  /** The claim by which an attempt waits for a signal; null: none does. */
  awaitingFence: number | null;
  /** The claim whose attempt is not to sleep, as its signal has come; null: none. */
  signalledFence: number | null;
  /** Only of dead letters, and of one-offs that are kept. */
  verdict: RunVerdict | null;
  finishedAt: EpochMs | null;
  retryOf: string | null;
  /** When the kept one-off goes; null: it stays. */
  keptUntil: EpochMs | null;
  lastError: string | null;
  lastFingerprint: string | null;
  /** Which step of a flow it is; its job is its own then. */
  step: FlowStepRow | null;
  /** The runs whose ends it waits for, in the order in which they were named; it stays when it was let go. null: it never did. */
  waitsFor: AwaitedRun[] | null;
  /** Ids of runs that wait, or have waited, for its end. */
  awaitedBy: string[];
  /** Never changed in place. Absent: it carries none. */
  trace?: CarriedTrace;
}

/** A run that another one waits for. Changed in place. */
export interface AwaitedRun {
  runId: string;
  /** Of its job. */
  id: string;
  /** null: it has not ended, or is tried again by hand. */
  verdict: RunVerdict | null;
  /** It can never be retried. */
  gone: boolean;
}

/** The end of a run that is a flow, a step of one, or awaited by others: these move on when all else is done. */
export interface EndedRun {
  run: RunRow;
  /** Null: its next attempt is due, so that only the flow that it was is over. */
  outcome: RunVerdict | null;
  error: string | null;
  result: JsonValue;
  flowStep: StepEnd | null;
}

/** A program that jobs bring along; never changed in place. */
export interface BinaryRow extends StoredBinary {
  base64: string;
}

/** Never changed in place. */
export interface RollupRow extends Omit<StatisticsRow, 'start'> {
  unit: StatisticsUnit;
  start: EpochMs;
}

/** Never changed in place. */
export interface BulkActionRow extends StoredBulkAction, Pick<NewBulkAction, 'owner'> {
  leaseUntil: EpochMs;
}

/** Of what somebody was told that it is overdue; never changed in place. */
export interface OverdueRow {
  namespace: string;
  jobId: string;
  dueAt: EpochMs;
  lateAfterMs: number;
}

/** What a run has logged; never changed in place. */
export interface RunLogRow {
  runId: string;
  /** By fence and part. */
  parts: readonly RunLogPart[];
  bytes: number;
}

/** How far a run is; never changed in place. */
export interface RunProgressRow extends Omit<NewRunProgress, 'worker'> {}

export interface SignalRow extends NewRunSignal {
  sentAt: EpochMs;
}

export interface LedgerRow extends Attempt {
  /** Order of writing. */
  sequence: number;
}

export interface GapRow extends Gap {
  sequence: number;
}

export interface WorkerRow extends WorkerRegistration {
  startedAt: EpochMs;
  leaseUntil: EpochMs;
  /** How long it is, from each renewal on. */
  leaseMs: number;
  /** Where it ended before it was cut, as it was renewed while the clock was ahead. */
  reached: EpochMs;
  running: number;
  condition: WorkerCondition | null;
  /** The runs of steps that it executes though it has given them up. Absent: none. */
  givenUp?: readonly string[];
}

/** Of a job alone. */
export interface OwnPause {
  reason: string | null;
  by: string | null;
  at: EpochMs;
  /** When it ends by itself. Absent: it does not. */
  until?: EpochMs;
  /** Somebody was told that it stands for long. Absent: nobody was. */
  told?: true;
}

/** A pause of everything in a scope; never changed in place. */
export interface PauseRow extends ScopeRef, OwnPause {}

/** What was done in somebody's name; never changed in place. */
export interface AuditRow extends NewAudit {
  id: string;
  at: EpochMs;
}

/** A set of declarations. Never changed in place, but for what it was synced beside. */
export interface Release {
  /** Its number in its app. */
  generation: number;
  setHash: string;
  /** In the order in which sets appeared. */
  place: number;
  declarations: readonly CarriedDeclaration[];
  /** The sets that live workers carried when it was last synced; null: something is left to do. */
  syncedBeside: string | null;
  /** What it declares otherwise than it is, as the last sync found. */
  outranked: readonly JobRef[];
}

/** Something that is done to the tables between two turns of the event loop. */
export type Step<T> = (tables: MemoryTables, now: EpochMs) => T;

/** Where steps are taken: in the tables, or in a transaction. */
export interface StepTaker {
  take<T>(step: Step<T>, now: EpochMs, kind?: 'read'): T;
}

/** Rows that are changed in place. */
export type OwnedTable = 'jobs' | 'runs' | 'workers' | 'gaps' | 'flows' | 'flowSteps';

/** What is noted as changed, where something in it was changed that is no field of a row. */
export type Noted =
  | [table: 'jobs', row: JobRow]
  | [table: 'runs', row: RunRow]
  | [table: 'flows', row: FlowRow]
  | [table: 'flowSteps', row: FlowStepRow]
  | [table: 'releases', app: string];

/**
 * Everything a memory storage holds, shared by all adapters opened on it. Rows are changed in place and never leave: what
 * adapters give to callers are copies.
 */
export class MemoryTables implements StepTaker {
  /** One id space for recurring jobs and one-offs. */
  readonly jobs = new Map<string, JobRow>();
  readonly jobsByUid = new Map<string, JobRow>();
  readonly runs = new Map<string, RunRow>();
  /** Durable steps by their run; never changed in place. */
  readonly steps = new Map<string, readonly RunStep[]>();
  /** Versions of definitions by namespace and name, in the order of their numbers; never changed in place. */
  readonly definitions = new Map<string, readonly Definition[]>();
  /** By the sums of their bytes. */
  readonly binaries = new Map<string, BinaryRow>();
  /** Statistics, by what they are of. */
  readonly rollups = new Map<string, RollupRow>();
  /** Graphs of steps, by the run that each is. */
  readonly flows = new Map<string, FlowRow>();
  /** Within a step only. */
  readonly ended: EndedRun[] = [];
  /** Runs of steps, in the order in which they were born. Within a step only. */
  readonly born: RunRow[] = [];
  /** Ends of runs that have to be told, see `StorageAdapter.runEnds`. Within a step only. */
  readonly ends: RunEnd[] = [];
  /** Signals that no step has taken, by their run, in the order in which they came; never changed in place. */
  readonly signals = new Map<string, readonly SignalRow[]>();
  /** Runs that may be claimed, now or later. */
  readonly waiting = new DueIndex<RunRow>();
  readonly cursors = new DueIndex<JobRow>();
  readonly workers = new Map<string, WorkerRow>();
  /** Claimed runs by worker. */
  readonly held = new Map<string, Set<RunRow>>();
  /** By kind and name. */
  readonly pauses = new Map<string, PauseRow>();
  /** Jobs that were given a pause with an end. Others may be among them. */
  readonly timedPauses = new Set<JobRow>();
  readonly releases = new Map<string, Release[]>();
  /** By their ids, in the order of writing. */
  readonly audit = new Map<string, AuditRow>();
  /** By namespace, job and instant. */
  readonly overdue = new Map<string, OverdueRow>();
  /** By run; who has written last is the last. */
  readonly runLogs = new Map<string, RunLogRow>();
  /** Changes of many, in the order in which they were begun; never changed in place. */
  readonly bulkActions = new Map<string, BulkActionRow>();
  readonly runProgress = new Map<string, RunProgressRow>();
  readonly ledger: LedgerRow[] = [];
  readonly gaps: GapRow[] = [];
  /** The version of the zone data that cursors were computed with. */
  zoneData: string | null = null;
  /** Up to when the record was looked through for what is too old; null: never. */
  recordAsOf: EpochMs | null = null;
  /** How far the statistics are; null: there are none. */
  rollupMark: RollupMark | null = null;
  readonly locks: LockTable = new Map();
  readonly listeners = new Set<(wake: Wake) => void>();
  /** Of events that instances share. */
  readonly hearers = new Set<(message: string) => void>();
  /** Where numbers come from while a step of a transaction is taken, which gets the same ones each time. */
  numbering: (() => number) | null = null;
  /** How many steps were taken. */
  taken = 0;

  constructor(
    /** Rows of the ledger, and of gaps, that are kept; the oldest go first. */
    readonly recordLimit: number,
    private last = 0,
  ) {}

  /** The latest number that was given; 0: none was. */
  get lastNumber(): number {
    return this.last;
  }

  nextNumber(): number {
    return this.numbering?.() ?? this.freshNumber();
  }

  /** Never given twice. */
  freshNumber(): number {
    return ++this.last;
  }

  /** Numbers are given from there on. */
  continueFrom(last: number): void {
    this.last = last;
  }

  take<T>(step: Step<T>, now: EpochMs): T {
    this.taken++;
    return step(this, now);
  }

  append<T extends LedgerRow | GapRow>(rows: T[], row: T): void {
    rows.push(row);
    // Cut in large pieces, so that it costs little per row.
    if (rows.length > this.recordLimit * 1.1)
      this.splice(rows as LedgerRow[], 0, rows.length - this.recordLimit);
  }

  /** Takes rows of the record out. */
  splice(rows: LedgerRow[] | GapRow[], start: number, count: number): void {
    rows.splice(start, count);
  }

  /** Keeps only these rows of the record, and returns how many went. */
  keep<T extends LedgerRow | GapRow>(rows: T[], isKept: (row: T) => boolean): number {
    const kept = rows.filter(isKept);
    const gone = rows.length - kept.length;
    if (gone > 0) rows.splice(0, rows.length, ...kept);
    return gone;
  }

  /** A row as it is to be kept: whoever makes one goes on with this. Tables that note what changes give one that tells. */
  own<T extends object>(_table: OwnedTable, row: T): T {
    return row;
  }

  /** Something within a row was changed, such as an element of a list, which a row that tells does not see. */
  note(..._noted: Noted): void {}

  /** Tells all listeners after what is under way is done. */
  wake(wake: Wake): void {
    for (const listener of this.listeners) queueMicrotask(() => listener(wake));
  }
}

/** Whether it has no time yet, as it waits for the ends of others. */
export function waitsForRuns({ waitsFor, verdict, fence, dueAt }: RunRow): boolean {
  return waitsFor !== null && verdict === null && fence === 0 && dueAt === Infinity;
}

/** Ids hold no NUL, so the key is unambiguous. */
export function keyOf({ namespace, id }: JobRef): string {
  return `${namespace}\0${id}`;
}

import type { Definition } from '../model/definition.js';
import type { EpochMs, RollupMark, RunStep } from '../ports/storage.adapter.js';
import { keyOfStep, restoreFlows, stepAt, type StepKey, type StoredFlow } from './flow.snapshot.js';
import { placeOf } from './runs.js';
import {
  keyOf,
  type AuditRow,
  type BinaryRow,
  type BulkActionRow,
  type GapRow,
  type JobRow,
  type LedgerRow,
  type MemoryTables,
  type PauseRow,
  type Release,
  type RollupRow,
  type OverdueRow,
  type RunLogRow,
  type RunProgressRow,
  type RunRow,
  type SignalRow,
  type WorkerRow,
} from './tables.js';

/** What JSON makes of a row: the same with text for dates. */
export type Stored<Row> = {
  [Key in keyof Row]: Date extends Row[Key] ? string | Exclude<Row[Key], Date> : Row[Key];
};

/** Rows name each other by id. */
export interface StoredJob extends Omit<JobRow, 'cursorAt' | 'openGap' | 'runs' | 'deadLetters'> {
  cursorAt: EpochMs | 'end-of-run' | null;
  openGap: Stored<GapRow> | null;
  runs: string[];
  deadLetters: string[];
}

export interface StoredRun extends Omit<
  RunRow,
  | 'job'
  | 'blockedBy'
  | 'open'
  | 'step'
  | 'dueAt'
  | 'awaitingFence'
  | 'signalledFence'
  | 'waitsFor'
  | 'awaitedBy'
  | 'lastFingerprint'
> {
  /** A uid; of a run that is detached, or a step of a flow, the job as it was then. */
  job: string | StoredJob;
  blockedBy: string[];
  /** Null: only a signal makes it due, or the ends of others. */
  dueAt: EpochMs | null;
  /** These are absent in earlier ones. */
  open?: RunRow['open'];
  step?: StepKey | null;
  awaitingFence?: RunRow['awaitingFence'];
  signalledFence?: RunRow['signalledFence'];
  waitsFor?: RunRow['waitsFor'];
  awaitedBy?: RunRow['awaitedBy'];
  lastFingerprint?: RunRow['lastFingerprint'];
}

/** `fingerprint` is absent in earlier ones. */
export type StoredAttempt = Omit<Stored<LedgerRow>, 'fingerprint'> & Partial<Pick<LedgerRow, 'fingerprint'>>;

/** In earlier ones its place in the list, from 1, is its generation. */
type StoredRelease = Omit<Release, 'generation'> & Partial<Pick<Release, 'generation'>>;

/** Lists are in the order of the tables, which decides between what is due at once. */
export interface Snapshot {
  format: number;
  lastNumber: number;
  zoneData: string | null;
  recordAsOf?: number | null;
  jobs: StoredJob[];
  runs: StoredRun[];
  /** These are absent in earlier ones. */
  steps?: [runId: string, steps: readonly RunStep[]][];
  /** Absent in earlier ones. */
  definitions?: [key: string, versions: readonly Stored<Definition>[]][];
  /** Absent in earlier ones. */
  binaries?: BinaryRow[];
  /** These are absent in earlier ones. */
  rollups?: [key: string, RollupRow][];
  rollupMark?: RollupMark | null;
  /** Absent in earlier ones. */
  flows?: StoredFlow[];
  signals?: [runId: string, signals: readonly SignalRow[]][];
  waiting: string[];
  cursors: string[];
  held: [worker: string, runIds: string[]][];
  workers: WorkerRow[];
  pauses: [key: string, PauseRow][];
  releases: [app: string, StoredRelease[]][];
  /** These are absent in earlier ones. */
  audit?: AuditRow[];
  runLogs?: RunLogRow[];
  runProgress?: RunProgressRow[];
  overdue?: [key: string, OverdueRow][];
  bulkActions?: BulkActionRow[];
  ledger: StoredAttempt[];
  gaps: Stored<GapRow>[];
  locks: [key: string, { fence: number; owner: string | null; expiresAt: number; leaseMs: number }][];
}

/** Puts everything into tables that are empty. Throws RangeError for what does not belong together. */
export function fill(tables: MemoryTables, snapshot: Snapshot): void {
  tables.zoneData = snapshot.zoneData;
  tables.recordAsOf = snapshot.recordAsOf ?? null;
  for (const row of snapshot.ledger) tables.ledger.push(ledgerRow(row));
  for (const row of snapshot.gaps) tables.gaps.push(tables.own('gaps', gapRow(row)));
  for (const stored of snapshot.jobs) {
    const job = tables.own('jobs', jobRow(stored, tables));
    tables.jobs.set(keyOf(job.definition), job);
    tables.jobsByUid.set(job.uid, job);
    if (job.pause?.until !== undefined) tables.timedPauses.add(job);
  }
  restoreFlows(tables, snapshot.flows ?? []);
  for (const stored of snapshot.runs) tables.runs.set(stored.id, tables.own('runs', runRow(stored, tables)));
  const run = (id: string): RunRow => found(tables.runs, id, 'run');
  const job = (uid: string): JobRow => found(tables.jobsByUid, uid, 'job');
  for (const { uid, runs, deadLetters } of snapshot.jobs) {
    for (const id of runs) job(uid).runs.add(run(id));
    for (const id of deadLetters) job(uid).deadLetters.add(run(id));
  }
  for (const { id, blockedBy } of snapshot.runs)
    for (const other of blockedBy) run(id).blockedBy.add(run(other));
  for (const row of snapshot.waiting.map(run)) tables.waiting.set(row, placeOf(row), row.dueAt);
  for (const row of snapshot.cursors.map(job)) {
    tables.cursors.set(row, { ...row.definition, app: row.app, priority: 0 }, row.cursorAt!);
  }
  for (const [runId, steps] of snapshot.steps ?? []) tables.steps.set(runId, steps);
  for (const [key, versions] of snapshot.definitions ?? [])
    tables.definitions.set(key, versions.map(definitionRow));
  for (const binary of snapshot.binaries ?? []) tables.binaries.set(binary.sha256, binary);
  for (const [key, rollup] of snapshot.rollups ?? []) tables.rollups.set(key, rollup);
  tables.rollupMark = snapshot.rollupMark ?? null;
  for (const [runId, signals] of snapshot.signals ?? []) tables.signals.set(runId, signals);
  for (const [worker, ids] of snapshot.held) tables.held.set(worker, new Set(ids.map(run)));
  for (const worker of snapshot.workers) tables.workers.set(worker.id, tables.own('workers', worker));
  for (const [key, pause] of snapshot.pauses) tables.pauses.set(key, pause);
  for (const [app, releases] of snapshot.releases) tables.releases.set(app, releases.map(releaseRow));
  for (const entry of snapshot.audit ?? []) tables.audit.set(entry.id, entry);
  for (const [key, row] of snapshot.overdue ?? []) tables.overdue.set(key, row);
  for (const row of snapshot.bulkActions ?? []) tables.bulkActions.set(row.id, row);
  for (const log of snapshot.runLogs ?? []) tables.runLogs.set(log.runId, log);
  for (const row of snapshot.runProgress ?? []) tables.runProgress.set(row.runId, row);
  for (const [key, lock] of snapshot.locks) tables.locks.set(key, lock);
}

/** Spreads keep the order of keys, so that what did not change is the same text again. */
export function storedJob(row: JobRow): object {
  return {
    ...row,
    cursorAt: row.cursorAt === Infinity ? 'end-of-run' : row.cursorAt,
    runs: idsOf(row.runs),
    deadLetters: idsOf(row.deadLetters),
  };
}

export function storedRun(run: RunRow): object {
  return {
    ...run,
    job: run.detached || run.step !== null ? storedJob(run.job) : run.job.uid,
    step: keyOfStep(run.step),
    blockedBy: idsOf(run.blockedBy),
  };
}

function jobRow(row: StoredJob, { gaps }: MemoryTables): JobRow {
  const { cursorAt, openGap } = row;
  return {
    ...row,
    cursorAt: cursorAt === 'end-of-run' ? Infinity : cursorAt,
    // The very row of the list, as closing the gap changes it there.
    openGap: openGap && (gaps.find(({ sequence }) => sequence === openGap.sequence) ?? gapRow(openGap)),
    runs: new Set(),
    deadLetters: new Set(),
  };
}

function runRow(row: StoredRun, tables: MemoryTables): RunRow {
  const blockedBy = new Set<RunRow>();
  const { job, open = null, awaitingFence = null, signalledFence = null } = row;
  const { waitsFor = null, awaitedBy = [], lastFingerprint = null } = row;
  const step = stepAt(tables.flows, row.step);
  const marks = { open, step, awaitingFence, signalledFence, waitsFor, awaitedBy, lastFingerprint };
  const own = { ...row, ...marks, dueAt: row.dueAt ?? Infinity, blockedBy };
  if (typeof job === 'string') return { ...own, job: found(tables.jobsByUid, job, 'job') };
  // Its attempts count for the job that it was taken from, if that is still there.
  const { statistics } = tables.jobsByUid.get(job.uid) ?? job;
  return { ...own, job: { ...jobRow(job, tables), statistics } };
}

function ledgerRow(row: StoredAttempt): LedgerRow {
  const { nominalAt, startedAt, finishedAt, fingerprint = null } = row;
  return {
    ...row,
    nominalAt: new Date(nominalAt),
    startedAt: date(startedAt),
    finishedAt: new Date(finishedAt),
    fingerprint,
  };
}

function gapRow(row: Stored<GapRow>): GapRow {
  return { ...row, from: new Date(row.from), until: date(row.until) };
}

function definitionRow(row: Stored<Definition>): Definition {
  return { ...row, createdAt: new Date(row.createdAt), deletedAt: date(row.deletedAt) };
}

function releaseRow(row: StoredRelease, nth: number): Release {
  return { ...row, generation: row.generation ?? nth + 1 };
}

function date(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

export function idsOf(runs: Iterable<RunRow>): string[] {
  return Array.from(runs, ({ id }) => id);
}

function found<T>(rows: ReadonlyMap<string, T>, key: string, what: string): T {
  const row = rows.get(key);
  if (row === undefined) throw new RangeError(`names the ${what} ${key}, which is not in it.`);
  return row;
}

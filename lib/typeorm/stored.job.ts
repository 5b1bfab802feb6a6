import type { StoredChanges } from '../model/job.changes.js';
import type { JobDefinition, JobRef, JobSource } from '../model/job.js';
import type { GapVerdict, RunVerdict } from '../model/verdict.js';
import type { EpochMs, OrphanReason, SyncRequest } from '../ports/storage.adapter.js';
import { keyOf } from './job.queries.js';
import { toDefinition, type DefinitionRow } from './job.rows.js';
import type { Run } from './statement.runner.js';

interface StoredFacts {
  definition: JobDefinition;
  definitionHash: string;
  source: JobSource;
  app: string | null;
  revision: number;
  createdAt: EpochMs;
  /** `until`: when it ends by itself; null: it does not; Infinity: nor does it, and that it stands for long was told. */
  paused: { at: EpochMs; reason: string | null; by: string | null; until: EpochMs | null } | null;
}

/** A recurring job, locked. Kept in step by whoever changes its tables. */
export interface StoredRecurring extends StoredFacts {
  kind: 'recurring';
  uid: string;
  generation: number;
  orphanedAt: EpochMs | null;
  orphanedReason: OrphanReason | null;
  /** At run time. */
  changes: StoredChanges | null;
  /** The ids that it had, the latest last. */
  previousIds: readonly string[];
  /** The last instant that was dealt with, if there is no cursor: as long as there is one, it knows. */
  firedUntil: EpochMs | null;
  /** The same, whoever knew it when the row was read. */
  lastFiredUntil: EpochMs | null;
  /** Begun by a pause or by orphaning; `from` is where the cursor stood. */
  openGap: { from: EpochMs; verdict: GapVerdict } | null;
}

/** A one-off, locked. */
export interface StoredOneOff extends StoredFacts {
  kind: 'one-off';
  runId: string;
  running: boolean;
  verdict: RunVerdict | null;
}

export type StoredJob = StoredRecurring | StoredOneOff;

interface FactsRow extends DefinitionRow {
  source: JobSource;
  app: string | null;
  definition_hash: string;
  revision: number;
  created_at: EpochMs;
  paused_at: EpochMs | null;
  paused_reason: string | null;
  paused_by: string | null;
  paused_until: EpochMs | null;
}

interface RecurringRow extends FactsRow {
  uid: string;
  generation: number;
  orphaned_at: EpochMs | null;
  orphaned_reason: OrphanReason | null;
  previous_ids: string[];
  changed: StoredChanges | null;
  cursor_fired_until: EpochMs | null;
  fired_until: EpochMs | null;
  gap_from: EpochMs | null;
  gap_verdict: GapVerdict | null;
}

interface OneOffRow extends FactsRow {
  run_id: string;
  running: boolean;
  verdict: RunVerdict | null;
}

/**
 * Locks a job of either kind until the transaction ends; null: there is none. It looks twice, because the row that it waited for may have been
 * replaced by another one for the same job.
 */
export async function lockJob(run: Run, { namespace, id }: JobRef): Promise<StoredJob | null> {
  for (let look = 1; look <= 2; look++) {
    const [job] = await lockRows(run, [namespace], [id], true);
    if (job !== undefined) return job;
  }
  return null;
}

/**
 * Locks many, in the order of the refs; null: there is none. One after the other only where a row was replaced meanwhile. Without payloads the definitions have null in their place: all of them together may be
 * more than there is room for.
 */
export async function lockJobs(
  run: Run,
  refs: readonly JobRef[],
  withPayloads: boolean,
): Promise<(StoredJob | null)[]> {
  const [namespaces, ids] = [refs.map(({ namespace }) => namespace), refs.map(({ id }) => id)];
  const locked = await lockRows(run, namespaces, ids, withPayloads);
  const found = new Map(locked.map((job) => [keyOf(job.definition), job]));
  const jobs: (StoredJob | null)[] = [];
  for (const ref of refs) jobs.push(found.get(keyOf(ref)) ?? (await lockJob(run, ref)));
  return jobs;
}

async function lockRows(
  run: Run,
  namespaces: readonly string[],
  ids: readonly string[],
  withPayloads: boolean,
): Promise<StoredJob[]> {
  const [locked] = await run<{ uids: string[]; run_ids: string[] }>('lockJobs', namespaces, ids);
  const { uids, run_ids: runIds } = locked!;
  return [
    ...(uids.length === 0 ? [] : await readRecurring(run, uids, withPayloads)),
    ...(runIds.length === 0 ? [] : await run<OneOffRow>('readOneOffs', runIds, withPayloads)).map(toOneOff),
  ];
}

async function readRecurring(
  run: Run,
  uids: readonly string[],
  withPayloads: boolean,
): Promise<StoredRecurring[]> {
  return (await run<RecurringRow>('readRecurring', uids, withPayloads)).map(toRecurring);
}

/** The job as that of another app; a declared one stays its code's. */
export function handOver<J extends StoredJob>(job: J, app: string | null): J {
  return job.source === 'code' ? job : { ...job, app };
}

/** All jobs that the app's code declares, or once declared, and those that it wants of other apps and may have; not locked. */
export async function readDeclared(
  run: Run,
  { app, declarations, previousApps, graceMs }: SyncRequest,
): Promise<StoredRecurring[]> {
  const wanted = declarations.flatMap(({ namespace, id, previousIds }) =>
    [id, ...previousIds].map((each) => [namespace, each] as const),
  );
  const columns = [wanted.map(([namespace]) => namespace), wanted.map(([, id]) => id)];
  return (await run<RecurringRow>('readDeclared', app, ...columns, previousApps, graceMs)).map(toRecurring);
}

/** Locks those of the jobs that can be changed without waiting for anybody, and returns them as they are now, by their uids. */
export async function graspJobs(run: Run, uids: readonly string[]): Promise<Map<string, StoredRecurring>> {
  const grasped = uids.length === 0 ? [] : await run<{ uid: string }>('graspJobs', uids);
  if (grasped.length === 0) return new Map();
  const jobs = await readRecurring(
    run,
    grasped.map(({ uid }) => uid),
    true,
  );
  return new Map(jobs.map((job) => [job.uid, job]));
}

/** `uid` of recurring jobs, `runId` of one-offs: the values by which statements find the runs of jobs. */
export function addressOf(...jobs: StoredJob[]): [uids: string[], runIds: string[]] {
  return [
    jobs.flatMap((job) => (job.kind === 'recurring' ? job.uid : [])),
    jobs.flatMap((job) => (job.kind === 'one-off' ? job.runId : [])),
  ];
}

function toRecurring(row: RecurringRow): StoredRecurring {
  const { uid, generation, orphaned_at, orphaned_reason, gap_from, gap_verdict } = row;
  const openGap = gap_from === null ? null : { from: gap_from, verdict: gap_verdict! };
  const orphaned = {
    orphanedAt: orphaned_at,
    // The release before gives none.
    orphanedReason: orphaned_at === null ? null : (orphaned_reason ?? 'undeclared'),
  };
  const fired = { firedUntil: row.fired_until, lastFiredUntil: row.cursor_fired_until ?? row.fired_until };
  const { previous_ids: previousIds, changed: changes } = row;
  const known = { ...orphaned, ...fired, previousIds, changes, openGap };
  return { kind: 'recurring', ...toFacts(row), uid, generation, ...known };
}

function toOneOff(row: OneOffRow): StoredOneOff {
  const { run_id, running, verdict } = row;
  return { kind: 'one-off', ...toFacts(row), runId: run_id, running, verdict };
}

function toFacts(row: FactsRow): StoredFacts {
  const { paused_at, paused_reason, paused_by, paused_until } = row;
  return {
    definition: toDefinition(row),
    definitionHash: row.definition_hash,
    source: row.source,
    app: row.app,
    revision: row.revision,
    createdAt: row.created_at,
    paused:
      paused_at === null
        ? null
        : { at: paused_at, reason: paused_reason, by: paused_by, until: paused_until },
  };
}

import type { JobRef } from '../model/job.js';
import type {
  DefinitionChange,
  EpochMs,
  StoredDefinition,
  SyncRequest,
  SyncResult,
} from '../ports/storage.adapter.js';
import { endGap, holdCursor, restoreCursor } from './cursors.js';
import { owedUntil } from '../triggers/owed.js';
import { deleteJob } from './controls.js';
import { insertJob, redefine, touch } from './definitions.js';
import { keyOf, type JobRow, type MemoryTables, type Release } from './tables.js';
import { holdsLease } from './workers.js';

export function syncDefinitions(tables: MemoryTables, now: EpochMs, request: SyncRequest): SyncResult {
  const { app, workerId } = request;
  const releases = tables.releases.get(app) ?? [];
  const known = releases.findIndex((release) => release.setHash === request.setHash) + 1;
  const generation = known || releases.length + 1;
  const newest = newestAlive(tables, now, app, workerId);
  const superseded = newest > generation;
  // The plan is the caller's code: nothing may be written before it has returned.
  const changes = superseded ? [] : request.plan(structuredClone(storedDefinitions(tables, app)), now);
  const worker = workerId === null ? undefined : tables.workers.get(workerId);
  if (worker) worker.generation = generation;
  if (superseded) return { status: 'superseded', generation, by: newest };

  const release: Release = { setHash: request.setHash, declared: new Set(request.declared) };
  tables.releases.set(app, releases.toSpliced(generation - 1, 1, release));
  const result: SyncResult = { status: 'synced', generation, changes: [], conflicts: [], postponed: [] };
  for (const change of changes) {
    const conflict = apply(tables, now, app, generation, change);
    if (conflict) result.conflicts.push(conflict);
    else result.changes.push(change);
  }
  return result;
}

export function confirmDefinitions(
  tables: MemoryTables,
  now: EpochMs,
  request: SyncRequest,
): SyncResult | null {
  const { app, workerId, setHash } = request;
  const generation = (tables.releases.get(app) ?? []).findIndex((release) => release.setHash === setHash) + 1;
  if (generation === 0 || newestAlive(tables, now, app, workerId) > generation) return null;
  if (request.plan(structuredClone(storedDefinitions(tables, app)), now).length > 0) return null;
  const worker = workerId === null ? undefined : tables.workers.get(workerId);
  if (worker) worker.generation = generation;
  return { status: 'synced', generation, changes: [], conflicts: [], postponed: [] };
}

export function declaredJobs(tables: MemoryTables, app: string): JobRow[] {
  return [...tables.jobs.values()].filter((job) => job.source === 'code' && job.app === app);
}

/** Ends being orphaned. */
export function adopt(tables: MemoryTables, now: EpochMs, job: JobRow): void {
  job.undeclaredSince = null;
  if (job.orphanedAt === null) return;
  job.orphanedAt = null;
  restoreCursor(tables, job);
  touch(job, now);
  if (job.cursorAt !== null) tables.wake({ kind: 'due', at: job.cursorAt, what: 'cursor' });
}

/** Stops firing; the cursor's place is kept for an adoption. */
export function orphan(tables: MemoryTables, now: EpochMs, job: JobRow): void {
  if (job.orphanedAt !== null) return;
  job.orphanedAt = now;
  holdCursor(tables, now, job, 'missed', 'orphaned');
  touch(job, now);
}

/** The newest generation that another live worker of the app runs. */
function newestAlive(tables: MemoryTables, now: EpochMs, app: string, except: string | null): number {
  let newest = 0;
  for (const worker of tables.workers.values()) {
    if (worker.app !== app || worker.id === except || !holdsLease(tables, now, worker.id)) continue;
    newest = Math.max(newest, worker.generation ?? 0);
  }
  return newest;
}

function storedDefinitions(tables: MemoryTables, app: string): StoredDefinition[] {
  return declaredJobs(tables, app).map(({ uid, definition, definitionHash, ...job }) => {
    const { id, namespace, trigger, timeZone, handler } = definition;
    const { orphanedAt, generation } = job;
    const paused = job.pause !== null;
    return { id, namespace, uid, definitionHash, trigger, timeZone, handler, paused, orphanedAt, generation };
  });
}

/** Returns the id that is taken, if so; nothing is written then. */
function apply(
  tables: MemoryTables,
  now: EpochMs,
  app: string,
  generation: number,
  change: DefinitionChange,
): JobRef | null {
  if (change.kind === 'insert') {
    const { namespace, id } = change.job;
    if (tables.jobs.has(keyOf(change.job))) return { namespace, id };
    insertJob(tables, now, change.job, generation);
    return null;
  }
  const job = tables.jobsByUid.get(change.uid);
  if (!job || job.source !== 'code' || job.app !== app) {
    throw new RangeError(
      `The plan names the job ${change.uid}, which is not stored as code of the app "${app}".`,
    );
  }
  if (change.kind === 'update') return update(tables, now, job, generation, change);
  if (change.kind === 'adopt') {
    job.generation = generation;
    adopt(tables, now, job);
  } else if (change.kind === 'orphan') {
    orphan(tables, now, job);
  } else {
    deleteJob(tables, now, job);
  }
  return null;
}

function update(
  tables: MemoryTables,
  now: EpochMs,
  job: JobRow,
  generation: number,
  { job: given, moveCursor }: Extract<DefinitionChange, { kind: 'update' }>,
): JobRef | null {
  const { namespace, id } = given;
  const taken = tables.jobs.get(keyOf(given));
  if (taken && taken !== job) return { namespace, id };
  if (job.orphanedAt !== null && moveCursor) endGap(tables, job, owedUntil(now, given.nextAt));
  adopt(tables, now, job);
  job.generation = generation;
  job.definitionHash = given.definitionHash;
  redefine(tables, now, job, given, moveCursor ? given.nextAt : undefined);
  return null;
}

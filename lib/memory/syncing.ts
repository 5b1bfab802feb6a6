import { declaredOf } from '../model/job.changes.js';
import type { JobRef } from '../model/job.js';
import type {
  CarriedSet,
  DefinitionChange,
  EpochMs,
  NewJob,
  OrphanReason,
  StoredDefinition,
  SyncRequest,
  SyncResult,
} from '../ports/storage.adapter.js';
import { endGap, holdCursor, orphanReason, reindexCursor, restoreCursor, setCursor } from './cursors.js';
import { owedOnReturn } from '../triggers/owed.js';
import { deleteJob } from './controls.js';
import { insertJob, redefine, touch } from './definitions.js';
import { takeOverFlow } from './flow.controls.js';
import { carriedSets, keepRelease, noteSynced, releaseFor, signature } from './releases.js';
import { reindexRun } from './runs.js';
import { keyOf, type JobRow, type MemoryTables } from './tables.js';
import { register } from './workers.js';

export function syncDefinitions(tables: MemoryTables, now: EpochMs, request: SyncRequest): SyncResult {
  const { app, workerId, registration, graceMs } = request;
  const own = workerId === null ? null : releaseFor(tables, now, request);
  const generation = own?.generation ?? 0;
  const others = carriedSets(tables, now, app, graceMs, workerId);
  const carried: CarriedSet[] = others.filter((set) => set.generation !== generation);
  if (own) {
    const { place, declarations } = own;
    carried.push({ place, declarations, carriedUntil: null });
  }
  const stored = storedDefinitions(tables, now, request);
  // The plan is the caller's code: nothing may be written before it has returned.
  const { changes, outranked } = request.plan(structuredClone(stored), structuredClone(carried), now);
  const conflicts = takenIds(tables, now, request, stored, changes);
  if (registration && conflicts.length > 0) return { status: 'refused', conflicts };

  if (own) keepRelease(tables, app, own);
  const taken = new Set(conflicts.map(keyOf));
  const done: DefinitionChange[] = [];
  for (const change of inOrder(changes)) {
    if ('job' in change && taken.has(keyOf(change.job))) continue;
    const owner = 'uid' in change ? tables.jobsByUid.get(change.uid)?.app : app;
    apply(tables, now, app, generation, change, stored);
    done.push(change);
    if (!owner || owner === app) continue;
    // What the live workers of the other app declare is to be looked at again.
    for (const left of tables.releases.get(owner) ?? []) left.syncedBeside = null;
    tables.note('releases', owner);
  }
  const worker = workerId === null ? undefined : tables.workers.get(workerId);
  if (registration) register(tables, now, { ...registration.worker, generation }, registration.leaseMs);
  else if (worker) worker.generation = generation;
  if (own) {
    own.outranked = structuredClone(outranked);
    const beside = conflicts.length > 0 ? null : signature(tables, now, app, generation);
    noteSynced(tables, app, own, beside);
  }
  return {
    status: 'synced',
    generation,
    now,
    changes: changes.filter((change) => done.includes(change)),
    conflicts,
    postponed: [],
  };
}

/** Stops firing; the cursor's place is kept for an adoption. */
export function orphan(tables: MemoryTables, now: EpochMs, job: JobRow, reason: OrphanReason): void {
  const wasOrphaned = job.orphanedAt !== null;
  job.orphanedReason = reason;
  touch(job, now);
  if (wasOrphaned) return;
  job.orphanedAt = now;
  holdCursor(tables, now, job, 'missed', orphanReason(job));
}

/** Ends being orphaned, from where the cursor stood, or from where it is to go on. */
function adopt(tables: MemoryTables, now: EpochMs, job: JobRow, nextAt?: EpochMs | null): void {
  if (job.orphanedAt === null) return;
  job.orphanedAt = null;
  job.orphanedReason = null;
  touch(job, now);
  if (nextAt === undefined) {
    restoreCursor(tables, job);
  } else if (job.openGap?.verdict !== 'paused') {
    endGap(tables, job, owedOnReturn(now, nextAt, job.definition));
    setCursor(tables, job, nextAt);
  }
  if (job.cursorAt !== null) tables.wake({ kind: 'due', at: job.cursorAt, what: 'cursor' });
}

/** Of the app, and those of others that it may take over. */
function storedDefinitions(
  tables: MemoryTables,
  now: EpochMs,
  { app, declarations, previousApps, graceMs }: SyncRequest,
): StoredDefinition[] {
  const wanted = new Set(
    declarations.flatMap(({ namespace, id, previousIds }) =>
      [id, ...previousIds].map((each) => keyOf({ namespace, id: each })),
    ),
  );
  const alive = new Set<string>();
  for (const worker of tables.workers.values()) if (worker.leaseUntil > now - graceMs) alive.add(worker.app);
  const isFree = (job: JobRow): boolean =>
    [job.definition.id, ...job.previousIds].some((id) =>
      wanted.has(keyOf({ namespace: job.definition.namespace, id })),
    ) &&
    (previousApps.includes(job.app!) || !alive.has(job.app!));
  return [...tables.jobs.values()]
    .filter((job) => job.source === 'code' && (job.app === app || isFree(job)))
    .map(({ uid, definition, definitionHash, app: owner, ...job }) => {
      const { id, namespace, trigger, timeZone } = definition;
      const changed = job.changed && { definition, changes: job.changed };
      const { handler } = changed ? declaredOf(changed) : definition;
      const { previousIds, orphanedAt, orphanedReason, firedUntil } = job;
      const facts = { previousIds, paused: job.pause !== null, orphanedAt, orphanedReason, firedUntil };
      return {
        id,
        namespace,
        uid,
        app: owner!,
        definitionHash,
        trigger,
        timeZone,
        handler,
        changed,
        ...facts,
      };
    });
}

/** First what frees ids, then what takes them. */
function inOrder(changes: readonly DefinitionChange[]): DefinitionChange[] {
  const rank = { delete: 0, update: 1, orphan: 1, adopt: 1, insert: 2 };
  return changes.toSorted((a, b) => rank[a.kind] - rank[b.kind]);
}

/** Ids that the changes want and that others have. */
function takenIds(
  tables: MemoryTables,
  now: EpochMs,
  request: SyncRequest,
  stored: readonly StoredDefinition[],
  changes: readonly DefinitionChange[],
): JobRef[] {
  const byUid = new Map(stored.map((job) => [job.uid, job]));
  const freed = new Set<string>();
  const given = new Set<string>();
  const taken: JobRef[] = [];
  for (const change of inOrder(changes)) {
    const former = 'uid' in change ? byUid.get(change.uid) : undefined;
    if (change.kind === 'delete' && former) freed.add(keyOf(former));
    if (!('job' in change)) continue;
    const key = keyOf(change.job);
    if (former && keyOf(former) === key) continue;
    const isTaken =
      given.has(key) ||
      (tables.jobs.has(key) && !freed.has(key)) ||
      (change.kind === 'insert' && isRenamedElsewhere(tables, now, request, change.job));
    if (isTaken) taken.push({ namespace: change.job.namespace, id: change.job.id });
    else given.add(key);
    if (former && !isTaken) freed.add(keyOf(former));
  }
  return taken;
}

/** Whether another app has this job under another id, and says that it is the same method, as long as workers of it carry that, or did within the grace. */
function isRenamedElsewhere(
  tables: MemoryTables,
  now: EpochMs,
  { app, graceMs }: SyncRequest,
  { namespace, id, handler }: NewJob,
): boolean {
  return [...tables.releases.keys()].some((other) => {
    if (other === app) return false;
    return carriedSets(tables, now, other, graceMs)
      .flatMap(({ declarations }) => declarations)
      .filter((declared) => declared.namespace === namespace && declared.handler === handler)
      .filter(({ previousIds }) => previousIds.includes(id))
      .some((declared) => {
        const job = tables.jobs.get(keyOf(declared));
        return job?.source === 'code' && job.app === other && job.previousIds.includes(id);
      });
  });
}

function apply(
  tables: MemoryTables,
  now: EpochMs,
  app: string,
  generation: number,
  change: DefinitionChange,
  stored: readonly StoredDefinition[],
): void {
  if (change.kind === 'insert') {
    const inserted = insertJob(tables, now, change.job, generation);
    return change.orphaned ? orphan(tables, now, inserted, 'undeclared') : undefined;
  }
  const job = tables.jobsByUid.get(change.uid);
  if (!job || !stored.some(({ uid }) => uid === change.uid)) {
    throw new RangeError(
      `The plan names the job ${change.uid}, which is not stored as code of the app "${app}".`,
    );
  }
  if (change.kind === 'update') return update(tables, now, job, app, generation, change);
  if (change.kind === 'adopt') {
    job.generation = generation;
    takeOver(tables, job, app);
    return adopt(tables, now, job, change.nextAt);
  }
  if (change.kind === 'orphan') return orphan(tables, now, job, change.reason);
  deleteJob(tables, now, job);
}

function update(
  tables: MemoryTables,
  now: EpochMs,
  job: JobRow,
  app: string,
  generation: number,
  { job: given, moveCursor, changed = null }: Extract<DefinitionChange, { kind: 'update' }>,
): void {
  const { id } = job.definition;
  if (id !== given.id) {
    const known = job.previousIds.indexOf(given.id);
    job.previousIds = known < 0 ? [...job.previousIds, id] : job.previousIds.slice(0, known);
  }
  takeOver(tables, job, app);
  job.generation = generation;
  job.definitionHash = given.definitionHash;
  job.changed = structuredClone(changed);
  const owedUntil = owedOnReturn(now, given.nextAt, job.definition, given);
  if (job.orphanedAt !== null && moveCursor) endGap(tables, job, owedUntil);
  adopt(tables, now, job);
  redefine(tables, now, job, given, moveCursor ? given.nextAt : undefined, owedUntil);
}

/** From another app, with what it has of runs. */
export function takeOver(tables: MemoryTables, job: JobRow, app: string): void {
  if (job.app === app) return;
  job.app = app;
  reindexCursor(tables, job);
  for (const run of job.runs) {
    reindexRun(tables, run);
    takeOverFlow(tables, run.id, app);
  }
}

import { declaredOf } from '../model/job.changes.js';
import type { JobRef } from '../model/job.js';
import type {
  DefinitionChange,
  EpochMs,
  OrphanReason,
  StoredDefinition,
  SyncRequest,
  SyncResult,
} from '../ports/storage.adapter.js';
import { owedUntil } from '../triggers/owed.js';
import { noteSet } from './carried.sets.js';
import { endGap, holdCursor, orphanReason, restoreCursor, setCursor } from './job.cursor.js';
import { insertNew } from './job.insertion.js';
import { keyOf } from './job.queries.js';
import { clear, redefine } from './job.redefinition.js';
import type { Change, Run, StatementRunner } from './statement.runner.js';
import { graspJobs, readDeclared, type StoredRecurring } from './stored.job.js';
import { recallDeferred, registerBy } from './worker.registry.js';

type InsertChange = Extract<DefinitionChange, { kind: 'insert' }>;
type UpdateChange = Extract<DefinitionChange, { kind: 'update' }>;

/** Takes a transaction back. */
class Refused extends Error {
  constructor(readonly conflicts: JobRef[]) {
    super('Ids are taken.');
  }
}

/** What a sync goes by. */
interface Syncing {
  run: Run;
  now: EpochMs;
  app: string;
  generation: number;
}

/**
 * One sync at a time for an app; everything in one transaction. Only what is to be changed is locked, so that a sync with nothing to do waits for nobody; and nobody is waited for in any
 * case: a job of which somebody else has locked something stays as it is, and is named as postponed.
 */
export async function syncDefinitions(
  statements: StatementRunner,
  request: SyncRequest,
): Promise<SyncResult> {
  try {
    const result = await statements.change((change) => syncBy(change, request));
    if (request.registration) await recallDeferred(statements.run);
    return result;
  } catch (error) {
    if (error instanceof Refused) return { status: 'refused', conflicts: error.conflicts };
    throw error;
  }
}

async function syncBy(change: Change, request: SyncRequest): Promise<SyncResult> {
  const { run } = change;
  const { app, workerId, registration } = request;
  await run('lockApp', app);
  await change.readClock();
  const { generation, carried } = await noteSet(run, request);
  const read = await readDeclared(run, request);
  let now = await change.readClock();
  let plan = request.plan(read.map(toStoredDefinition), carried, now);
  const grasped = await graspJobs(
    run,
    plan.changes.flatMap((planned) => (planned.kind === 'insert' ? [] : planned.uid)),
  );
  // What was read may have changed before it was locked.
  if (grasped.size > 0) {
    now = await change.readClock();
    plan = request.plan(
      read.map((job) => toStoredDefinition(grasped.get(job.uid) ?? job)),
      carried,
      now,
    );
  }
  const done = await applyAll({ run, now, app, generation }, plan.changes, read, grasped);
  const { written, conflicts, postponed } = done;
  if (registration && conflicts.length > 0) throw new Refused(conflicts);
  if (registration)
    ({ now } = await registerBy(run, { ...registration.worker, generation }, registration.leaseMs));
  else await run('noteGeneration', workerId, generation);
  const isDone = conflicts.length === 0 && postponed.length === 0;
  await run('noteSynced', app, generation, isDone, JSON.stringify(plan.outranked));
  const changes = plan.changes.filter((planned) => written.has(planned));
  return { status: 'synced', generation, now, changes, conflicts, postponed };
}

/** Does what is planned, as far as nobody else has locked it or has its id. */
async function applyAll(
  syncing: Syncing,
  changes: readonly DefinitionChange[],
  read: readonly StoredRecurring[],
  grasped: ReadonlyMap<string, StoredRecurring>,
): Promise<{ written: Set<DefinitionChange>; conflicts: JobRef[]; postponed: JobRef[] }> {
  const { run, app, generation } = syncing;
  const written = new Set<DefinitionChange>();
  const conflicts: JobRef[] = [];
  const postponed: JobRef[] = [];
  const byUid = new Map(read.map((job) => [job.uid, job]));
  const takenFrom = new Set<string>();
  // First what frees ids, then what takes them.
  const rank = { delete: 0, update: 1, orphan: 1, adopt: 1, insert: 2 };
  const others = changes.filter((planned) => planned.kind !== 'insert');
  for (const planned of others.toSorted((a, b) => rank[a.kind] - rank[b.kind])) {
    const former = byUid.get(planned.uid);
    if (!former)
      throw new RangeError(
        `The plan names the job ${planned.uid}, which is not stored as code of the app "${app}".`,
      );
    const job = grasped.get(planned.uid);
    if (!job) {
      postponed.push({ namespace: former.definition.namespace, id: former.definition.id });
      continue;
    }
    const { app: owner } = job;
    const conflict = await apply(syncing, job, planned);
    if (conflict) conflicts.push(conflict);
    else written.add(planned);
    if (!conflict && owner !== null && owner !== app) takenFrom.add(owner);
  }
  if (takenFrom.size > 0) await run('leaveApp', [...takenFrom]);
  // An id that a postponed change would have freed is taken for the time being.
  const kept = new Set(postponed.map(keyOf));
  const inserts = changes.filter((planned): planned is InsertChange => planned.kind === 'insert');
  const insertable = inserts.filter(({ job }) => !kept.has(keyOf(job)));
  for (const insert of await insertDeclared(run, insertable, generation, conflicts)) written.add(insert);
  return { written, conflicts, postponed };
}

/** Stops firing; the cursor's place is kept for an adoption. */
export async function orphan(
  run: Run,
  now: EpochMs,
  job: StoredRecurring,
  reason: OrphanReason,
): Promise<void> {
  const wasOrphaned = job.orphanedAt !== null;
  await run('markJob', job.uid, reason);
  job.orphanedReason = reason;
  if (wasOrphaned) return;
  job.orphanedAt = now;
  await holdCursor(run, now, job, 'missed', orphanReason(job));
}

/** Ends being orphaned, from where the cursor stood, or from where it is to go on. */
async function adopt(run: Run, now: EpochMs, job: StoredRecurring, nextAt?: EpochMs | null): Promise<void> {
  if (job.orphanedAt === null) return;
  await run('markJob', job.uid, null);
  job.orphanedAt = null;
  job.orphanedReason = null;
  if (nextAt === undefined) {
    await restoreCursor(run, job);
  } else if (job.openGap?.verdict !== 'paused') {
    await endGap(run, job, owedUntil(now, nextAt));
    await setCursor(run, job, nextAt);
  }
}

/** Returns the id that is taken, if so; nothing is written then. */
async function apply(
  syncing: Syncing,
  job: StoredRecurring,
  change: Exclude<DefinitionChange, InsertChange>,
): Promise<JobRef | null> {
  const { run, now, generation } = syncing;
  switch (change.kind) {
    case 'update':
      return update(syncing, job, change);
    case 'adopt':
      await take(syncing, job);
      await run('setGeneration', job.uid, generation);
      await adopt(run, now, job, change.nextAt);
      return null;
    case 'orphan':
      await orphan(run, now, job, change.reason);
      return null;
    case 'delete':
      await clear(run, now, job, 'job deleted');
      return null;
  }
}

async function update(
  syncing: Syncing,
  job: StoredRecurring,
  { job: given, moveCursor, changed = null }: UpdateChange,
): Promise<JobRef | null> {
  const { run, now, generation } = syncing;
  const { namespace, id } = given;
  const former = job.definition;
  if (keyOf(former) !== keyOf(given)) {
    const renamed = await run('renameKey', former.namespace, former.id, namespace, id);
    if (renamed.length === 0) return { namespace, id };
    const known = job.previousIds.indexOf(id);
    job.previousIds = known < 0 ? [...job.previousIds, former.id] : job.previousIds.slice(0, known);
    await run('setPreviousIds', job.uid, job.previousIds);
  }
  await take(syncing, job);
  if (job.orphanedAt !== null && moveCursor) await endGap(run, job, owedUntil(now, given.nextAt));
  await adopt(run, now, job);
  job.generation = generation;
  job.definitionHash = given.definitionHash;
  job.changes = changed;
  await redefine(run, now, job, given, moveCursor ? given.nextAt : undefined);
  return null;
}

/** Over from another app. */
async function take({ run, app }: Syncing, job: StoredRecurring): Promise<void> {
  if (job.app === app) return;
  await run('takeJob', job.uid, app);
  job.app = app;
}

/** Returns those that were inserted. */
async function insertDeclared(
  run: Run,
  inserts: readonly InsertChange[],
  generation: number,
  conflicts: JobRef[],
): Promise<InsertChange[]> {
  const created = await insertNew(
    run,
    inserts.map(({ job }) => job),
    generation,
  );
  return inserts.filter(({ job }, nth) => {
    if (created[nth] !== null) return true;
    conflicts.push({ namespace: job.namespace, id: job.id });
    return false;
  });
}

function toStoredDefinition(job: StoredRecurring): StoredDefinition {
  const { uid, app, definition, definitionHash, previousIds, paused, orphanedAt, orphanedReason } = job;
  const { id, namespace, trigger, timeZone } = definition;
  const changed = job.changes && { definition, changes: job.changes };
  const { handler } = changed ? declaredOf(changed) : definition;
  const facts = { previousIds, paused: paused !== null, orphanedAt, orphanedReason };
  const { lastFiredUntil: firedUntil } = job;
  const given = { id, namespace, uid, app: app!, definitionHash, trigger, timeZone, handler, changed };
  return structuredClone({ ...given, ...facts, firedUntil });
}

import type { JobRef } from '../model/job.js';
import type {
  DefinitionChange,
  EpochMs,
  StoredDefinition,
  SyncRequest,
  SyncResult,
} from '../ports/storage.adapter.js';
import { owedUntil } from '../triggers/owed.js';
import { endGap, holdCursor, restoreCursor } from './job.cursor.js';
import { insertNew } from './job.insertion.js';
import { keyOf } from './job.queries.js';
import { clear, redefine } from './job.redefinition.js';
import type { Change, Run } from './statement.runner.js';
import { graspJobs, readDeclared, type StoredRecurring } from './stored.job.js';

type InsertChange = Extract<DefinitionChange, { kind: 'insert' }>;
type UpdateChange = Extract<DefinitionChange, { kind: 'update' }>;

/**
 * One sync at a time for an app; everything in the transaction of `change`. Only what is to be changed is locked, so that a sync with nothing to do waits for nobody; and nobody is waited for in any
 * case: a job of which somebody else has locked something stays as it is, and is named as postponed.
 */
export async function syncDefinitions(change: Change, request: SyncRequest): Promise<SyncResult> {
  const { run } = change;
  const { app, setHash, workerId, declared } = request;
  await run('lockApp', app);
  await change.readClock();
  const [{ generation }] = await run<{ generation: number }>('takeRelease', app, setHash, declared);
  if (workerId !== null) await run('noteGeneration', workerId, generation);
  const [newest] = await run<{ generation: number }>('newestAlive', app, workerId);
  if (newest.generation > generation) return { status: 'superseded', generation, by: newest.generation };

  const read = await readDeclared(run, app);
  let now = await change.readClock();
  let changes = request.plan(read.map(toStoredDefinition), now);
  const grasped = await graspJobs(
    run,
    changes.flatMap((planned) => (planned.kind === 'insert' ? [] : planned.uid)),
  );
  // What was read may have changed before it was locked.
  if (grasped.size > 0) {
    now = await change.readClock();
    changes = request.plan(
      read.map((job) => toStoredDefinition(grasped.get(job.uid) ?? job)),
      now,
    );
  }
  const written = new Set<DefinitionChange>();
  const conflicts: JobRef[] = [];
  const postponed: JobRef[] = [];
  const inserts = changes.filter((planned): planned is InsertChange => planned.kind === 'insert');
  const others = changes.filter((planned) => planned.kind !== 'insert');
  const byUid = new Map(read.map((job) => [job.uid, job]));
  // First what frees ids, then what takes them.
  for (const planned of others.toSorted(
    (a, b) => Number(b.kind === 'delete') - Number(a.kind === 'delete'),
  )) {
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
    const conflict = await apply(run, now, job, generation, planned);
    if (conflict) conflicts.push(conflict);
    else written.add(planned);
  }
  // An id that a postponed change would have freed is taken for the time being.
  const kept = new Set(postponed.map(keyOf));
  const insertable = inserts.filter(({ job }) => !kept.has(keyOf(job)));
  for (const insert of await insertDeclared(run, insertable, generation, conflicts)) written.add(insert);
  return {
    status: 'synced',
    generation,
    changes: changes.filter((planned) => written.has(planned)),
    conflicts,
    postponed,
  };
}

/** Each statement by itself: what changes meanwhile changes by a sync, which the next start sees. */
export async function confirmDefinitions(run: Run, request: SyncRequest): Promise<SyncResult | null> {
  const { app, setHash, workerId } = request;
  type Known = { generation: number | null; now: EpochMs };
  const [{ generation, now }] = await run<Known>('knownRelease', app, setHash);
  if (generation === null) return null;
  // First: a newer release that comes meanwhile sees this one.
  if (workerId !== null) await run('noteGeneration', workerId, generation);
  const [newest] = await run<{ generation: number }>('newestAlive', app, workerId);
  if (newest.generation > generation) return null;
  const stored = (await readDeclared(run, app)).map(toStoredDefinition);
  if (request.plan(stored, now).length > 0) return null;
  return { status: 'synced', generation, changes: [], conflicts: [], postponed: [] };
}

/** Ends being orphaned. */
export async function adopt(run: Run, job: StoredRecurring): Promise<void> {
  if (job.orphanedAt === null) {
    if (job.undeclaredSince !== null) await run('markJob', job.uid, 'declare');
    job.undeclaredSince = null;
    return;
  }
  await run('markJob', job.uid, 'adopt');
  job.undeclaredSince = null;
  job.orphanedAt = null;
  await restoreCursor(run, job);
}

/** Stops firing; the cursor's place is kept for an adoption. */
export async function orphan(run: Run, now: EpochMs, job: StoredRecurring): Promise<void> {
  if (job.orphanedAt !== null) return;
  await run('markJob', job.uid, 'orphan');
  job.orphanedAt = now;
  await holdCursor(run, now, job, 'missed', 'orphaned');
}

/** Returns the id that is taken, if so; nothing is written then. */
async function apply(
  run: Run,
  now: EpochMs,
  job: StoredRecurring,
  generation: number,
  change: Exclude<DefinitionChange, InsertChange>,
): Promise<JobRef | null> {
  switch (change.kind) {
    case 'update':
      return update(run, now, job, generation, change);
    case 'adopt':
      await run('setGeneration', job.uid, generation);
      await adopt(run, job);
      return null;
    case 'orphan':
      await orphan(run, now, job);
      return null;
    case 'delete':
      await clear(run, now, job, 'job deleted');
      return null;
  }
}

async function update(
  run: Run,
  now: EpochMs,
  job: StoredRecurring,
  generation: number,
  { job: given, moveCursor }: UpdateChange,
): Promise<JobRef | null> {
  const { namespace, id } = given;
  const former = job.definition;
  if (keyOf(former) !== keyOf(given)) {
    const renamed = await run('renameKey', former.namespace, former.id, namespace, id);
    if (renamed.length === 0) return { namespace, id };
  }
  if (job.orphanedAt !== null && moveCursor) await endGap(run, job, owedUntil(now, given.nextAt));
  await adopt(run, job);
  job.generation = generation;
  job.definitionHash = given.definitionHash;
  await redefine(run, now, job, given, moveCursor ? given.nextAt : undefined);
  return null;
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
  const { uid, definition, definitionHash, paused, orphanedAt, generation } = job;
  const { id, namespace, trigger, timeZone, handler } = definition;
  const facts = { paused: paused !== null, orphanedAt, generation };
  return structuredClone({ id, namespace, uid, definitionHash, trigger, timeZone, handler, ...facts });
}

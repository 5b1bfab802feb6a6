import { declaredOf } from '../model/job.changes.js';
import type { JobRef } from '../model/job.js';
import type {
  DefinitionChange,
  StoredDefinition,
  SyncRequest,
  SyncResult,
} from '../ports/storage.adapter.js';
import { noteSet } from './carried.sets.js';
import {
  apply,
  briefMs,
  insertDeclared,
  renamedElsewhere,
  type InsertChange,
  type Syncing,
} from './definition.changes.js';
import { insistMs } from './insistence.js';
import { keyOf } from './job.queries.js';
import type { OwnChange, StatementRunner } from './statement.runner.js';
import { graspJobs, readDeclared, type StoredRecurring } from './stored.job.js';
import { recallDeferred, registerBy } from './worker.registry.js';

type Synced = Extract<SyncResult, { status: 'synced' }>;

/** Takes a transaction back. */
class Refused extends Error {
  constructor(readonly conflicts: JobRef[]) {
    super('Ids are taken.');
  }
}

/** What came of one transaction. */
interface Pass {
  result: Synced;
  /** Jobs that are to be changed, and that somebody else had locked. */
  locked: string[];
}

/** No lock is waited for longer, as other processes wait for the sync; a statement may wait for several, one after the other. */
const longestWaitMs = 500;

/**
 * One sync at a time for an app; everything in one transaction, but for one job perhaps. Only what is to be changed is locked, so that a sync with nothing to do waits for nobody. A job of which
 * somebody else has locked something stays as it is, and is named as postponed; so is an id that a transaction which is still open has inserted. One of these jobs is then asked for again, in a transaction
 * of its own that queues for its rows: those of a job with many short runs may never be free all at once. What comes of that has no say in what the first has done.
 */
export async function syncDefinitions(
  statements: StatementRunner,
  request: SyncRequest,
): Promise<SyncResult> {
  const { registration, ...later } = request;
  let first: Pass;
  try {
    first = await statements.change((change) => syncBy(change, request));
  } catch (error) {
    if (error instanceof Refused) return { status: 'refused', conflicts: error.conflicts };
    throw error;
  }
  if (registration) await recallDeferred(statements.run);
  const { result, locked } = first;
  // At random: another one may be somebody's for long.
  const busy = locked[Math.floor(Math.random() * locked.length)];
  if (busy === undefined) return result;
  // What was done is to be told, whatever comes of the rest: that is postponed, and tried again.
  const second = await statements.change((change) => insist(change, later, busy)).catch(() => null);
  return second === null
    ? result
    : { ...second, now: result.now, changes: [...result.changes, ...second.changes] };
}

/** A sync that waits for its turn at one job; null: that did not come. */
async function insist(change: OwnChange, request: SyncRequest, uid: string): Promise<Synced | null> {
  await change.run('lockApp', request.app);
  const got = await change.briefly(insistMs, async () => {
    await change.run('awaitJobs', [uid]);
    // And the runs that were born until the job and its cursor were held.
    await change.run('awaitJobs', [uid]);
  });
  return got && (await syncBy(change, request)).result;
}

async function syncBy(change: OwnChange, request: SyncRequest): Promise<Pass> {
  const { run, briefly } = change;
  const { app, workerId, registration } = request;
  await run('lockApp', app);
  await change.limitWaiting(longestWaitMs);
  await change.readClock();
  const { generation, carried, beside } = await noteSet(run, request);
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
  const done = await applyAll(
    { run, briefly, now, app, generation, graceMs: request.graceMs },
    plan.changes,
    read,
    grasped,
  );
  const { written, conflicts, postponed, locked } = done;
  if (registration && conflicts.length > 0) throw new Refused(conflicts);
  if (registration)
    ({ now } = await registerBy(run, { ...registration.worker, generation }, registration.leaseMs));
  else if (workerId !== null) await run('noteGeneration', workerId, generation);
  const isDone = conflicts.length === 0 && postponed.length === 0;
  const outranked = JSON.stringify(plan.outranked);
  // Where somebody has locked the note, it stays one that is to be synced.
  if (workerId !== null)
    await briefly(briefMs, () => run('noteSynced', app, generation, isDone ? beside : null, outranked));
  const changes = plan.changes.filter((planned) => written.has(planned));
  return { result: { status: 'synced', generation, now, changes, conflicts, postponed }, locked };
}

/** Does what is planned, as far as nobody else has locked it or has its id. */
async function applyAll(
  syncing: Syncing,
  changes: readonly DefinitionChange[],
  read: readonly StoredRecurring[],
  grasped: ReadonlyMap<string, StoredRecurring>,
): Promise<
  Pick<Synced, 'conflicts' | 'postponed'> & Pick<Pass, 'locked'> & { written: Set<DefinitionChange> }
> {
  const { run, app } = syncing;
  const written = new Set<DefinitionChange>();
  const conflicts: JobRef[] = [];
  const postponed: JobRef[] = [];
  const locked: string[] = [];
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
    const { namespace, id } = former.definition;
    if (!job) {
      postponed.push({ namespace, id });
      locked.push(planned.uid);
      continue;
    }
    const { app: owner } = job;
    const outcome = await apply(syncing, job, planned);
    if (outcome === 'locked') postponed.push({ namespace, id });
    else if (outcome) conflicts.push(outcome);
    else written.add(planned);
    if (outcome === null && owner !== null && owner !== app) takenFrom.add(owner);
  }
  if (takenFrom.size > 0) await run('leaveApp', [...takenFrom]);
  // An id that a postponed change would have freed is taken for the time being.
  const kept = new Set(postponed.map(keyOf));
  const inserts = changes.filter((planned): planned is InsertChange => planned.kind === 'insert');
  const insertable = inserts.filter(({ job }) => !kept.has(keyOf(job)));
  const elsewhere = await renamedElsewhere(syncing, insertable);
  for (const { job } of elsewhere) conflicts.push({ namespace: job.namespace, id: job.id });
  const free = insertable.filter((insert) => !elsewhere.has(insert));
  for (const [insert, outcome] of await insertDeclared(syncing, free)) {
    const { namespace, id } = insert.job;
    if (outcome === 'created') written.add(insert);
    else (outcome === 'taken' ? conflicts : postponed).push({ namespace, id });
  }
  return { written, conflicts, postponed, locked };
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

import type { JobRef } from '../model/job.js';
import type { DefinitionChange, EpochMs, OrphanReason } from '../ports/storage.adapter.js';
import { owedOnReturn } from '../triggers/owed.js';
import { endGap, holdCursor, orphanReason, restoreCursor, setCursor } from './job.cursor.js';
import { insertNew } from './job.insertion.js';
import { keyOf } from './job.queries.js';
import { clear, redefine } from './job.redefinition.js';
import type { OwnChange, Run } from './statement.runner.js';
import { columns } from './rows.js';
import type { StoredRecurring } from './stored.job.js';

export type InsertChange = Extract<DefinitionChange, { kind: 'insert' }>;
type UpdateChange = Extract<DefinitionChange, { kind: 'update' }>;
type Insertion = 'created' | 'taken' | 'locked';

/** How long something waits that others lock for a moment only, such as an id that is being inserted. */
export const briefMs = 200;

/** What a sync goes by. */
export interface Syncing extends Pick<OwnChange, 'run' | 'briefly'> {
  now: EpochMs;
  app: string;
  generation: number;
  graceMs: number;
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
    await endGap(run, job, owedOnReturn(now, nextAt, job.definition));
    await setCursor(run, job, nextAt);
  }
}

/** Returns the id that is taken, if so, or `locked` where a transaction that is still open has it; nothing is written then. */
export async function apply(
  syncing: Syncing,
  job: StoredRecurring,
  change: Exclude<DefinitionChange, InsertChange>,
): Promise<JobRef | 'locked' | null> {
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
): Promise<JobRef | 'locked' | null> {
  const { run, briefly, now, generation } = syncing;
  const { namespace, id } = given;
  const former = job.definition;
  if (keyOf(former) !== keyOf(given)) {
    const renamed = await briefly(briefMs, () =>
      run('renameKey', former.namespace, former.id, namespace, id),
    );
    if (renamed === null) return 'locked';
    if (renamed.value.length === 0) return { namespace, id };
    const known = job.previousIds.indexOf(id);
    job.previousIds = known < 0 ? [...job.previousIds, former.id] : job.previousIds.slice(0, known);
    await run('setPreviousIds', job.uid, job.previousIds);
  }
  await take(syncing, job);
  const owedUntil = owedOnReturn(now, given.nextAt, former, given);
  if (job.orphanedAt !== null && moveCursor) await endGap(run, job, owedUntil);
  await adopt(run, now, job);
  job.generation = generation;
  job.definitionHash = given.definitionHash;
  job.changes = changed;
  await redefine(run, now, job, given, moveCursor ? given.nextAt : undefined, owedUntil);
  return null;
}

/** Over from another app. */
async function take({ run, app }: Syncing, job: StoredRecurring): Promise<void> {
  if (job.app === app) return;
  await run('takeJobs', [job.uid], app);
  job.app = app;
}

/** Those whose id counts as taken, as another app has the job under another one, and may still come back. */
export async function renamedElsewhere(
  { run, app, graceMs }: Syncing,
  inserts: readonly InsertChange[],
): Promise<Set<InsertChange>> {
  if (inserts.length === 0) return new Set();
  const jobs = inserts.map(({ job }) => job);
  const found = await run<JobRef>(
    'renamedElsewhere',
    app,
    jobs.map(({ namespace }) => namespace),
    jobs.map(({ id }) => id),
    jobs.map(({ handler }) => handler),
    graceMs,
  );
  const keys = new Set(found.map(keyOf));
  return new Set(inserts.filter(({ job }) => keys.has(keyOf(job))));
}

/** All in one statement, or, where that would have to wait for an id, each by itself. */
export async function insertDeclared(
  { run, briefly, generation }: Syncing,
  inserts: readonly InsertChange[],
): Promise<Map<InsertChange, Insertion>> {
  const insert = (some: readonly InsertChange[]) =>
    briefly(briefMs, () =>
      insertNew(
        run,
        some.map(({ job, orphaned }) => (orphaned ? { ...job, nextAt: null } : job)),
        generation,
      ),
    );
  const outcomes = new Map<InsertChange, Insertion>();
  const all = await insert(inserts);
  for (const [nth, one] of inserts.entries()) {
    const created = all ? all.value[nth] : (await insert([one]))?.value[0];
    outcomes.set(one, created === undefined ? 'locked' : created === null ? 'taken' : 'created');
  }
  const orphans = inserts.filter((one) => one.orphaned && outcomes.get(one) === 'created');
  if (orphans.length > 0) {
    const jobs = orphans.map(({ job }) => job);
    await run('orphanInserted', ...columns(jobs, ['namespace', 'id', 'nextAt']));
  }
  return outcomes;
}

import type { Job } from '../model/job.js';
import { stoppedBy, type ScopeRef } from '../model/pause.js';
import type { ConflictPolicy, EpochMs, InsertResult, NewJob } from '../ports/storage.adapter.js';
import { sqlStateOf } from './sql.errors.js';
import { fixedDelayMs } from './fixed.delay.js';
import { jobColumns, oneJobColumns, tracedJobColumns } from './job.columns.js';
import { getJobs, keyOf } from './job.queries.js';
import { isOneOff } from './job.rows.js';
import type { Run } from './statement.runner.js';

/** What the caller does with ids that are taken: one result for each; null, the id is free again by now. */
type OnTaken = (jobs: readonly NewJob[]) => Promise<(InsertResult | null)[]>;

/** When a job was created, and what was paused then; null: its id is taken. */
export interface Created {
  at: EpochMs;
  pauses: readonly ScopeRef[];
}

const uniqueViolation = '23505';

/**
 * Stores many jobs, each kind in one statement. Of items with the same id the first is stored before the others are looked at, so
 * that they find it taken.
 */
export async function insertJobs(
  run: Run,
  jobs: readonly NewJob[],
  onConflict: ConflictPolicy,
  onTaken: OnTaken,
): Promise<InsertResult[]> {
  const results: (InsertResult | undefined)[] = jobs.map(() => undefined);
  let open = jobs.map((_, index) => index);
  while (open.length > 0) {
    const batch = firstOfEach(jobs, open);
    const created = await insertNew(
      run,
      batch.map((index) => jobs[index]!),
    );
    const taken: number[] = [];
    for (let nth = 0; nth < batch.length; nth++) {
      const index = batch[nth]!;
      const made = created[nth] ?? null;
      if (made !== null) results[index] = { status: 'created', job: newJob(jobs[index]!, made) };
      else if (onConflict === 'raise') results[index] = { status: 'conflict' };
      else taken.push(index);
    }
    const found = taken.length === 0 ? [] : await onTaken(taken.map((index) => jobs[index]!));
    for (const [nth, index] of taken.entries()) results[index] = found[nth] ?? undefined;
    open = open.filter((index) => results[index] === undefined);
  }
  return results as InsertResult[];
}

/** Those that are there, in one statement. */
export async function existingJobs(run: Run, taken: readonly NewJob[]): Promise<(InsertResult | null)[]> {
  const jobs = await getJobs(run, taken);
  return jobs.map((job) => job && { status: 'existing', job });
}

/**
 * Inserts what is not there yet, and says of each when. Of several with the same id the first is inserted. Recurring jobs are declared by
 * `generation`, 0: by none.
 */
export async function insertNew(
  run: Run,
  jobs: readonly NewJob[],
  generation = 0,
): Promise<(Created | null)[]> {
  const oneOffs = jobs.filter((job) => isOneOff(job.source, job.trigger));
  if (oneOffs.length === jobs.length) return insertOneOffs(run, jobs);
  const recurring = jobs.filter((job) => !isOneOff(job.source, job.trigger));
  const ofOneOffs = (await insertOneOffs(run, oneOffs)).values();
  const ofRecurring = (await insertRecurring(run, recurring, generation)).values();
  return jobs.map((job) => (isOneOff(job.source, job.trigger) ? ofOneOffs : ofRecurring).next().value!);
}

/** Gives birth to callbacks, due now; one whose id is taken is left out. */
export async function bearCallbacks(run: Run, callbacks: readonly NewJob[]): Promise<void> {
  if (callbacks.length > 0) await insertAnyOneOffs(run, callbacks, 'callback');
}

async function insertOneOffs(run: Run, jobs: readonly NewJob[]): Promise<(Created | null)[]> {
  if (jobs.length === 0) return [];
  if (jobs.every(({ newId, trace }) => newId && trace === undefined)) {
    try {
      return created(jobs, await insertNewOneOffs(run, jobs));
    } catch (error) {
      if (sqlStateOf(error) !== uniqueViolation) throw error;
    }
  }
  return created(jobs, await insertAnyOneOffs(run, jobs, 'at'));
}

/** Who traces nothing sends nothing of it. */
function insertAnyOneOffs(run: Run, jobs: readonly NewJob[], origin: 'at' | 'callback'): Promise<Stored[]> {
  return jobs.some(({ trace }) => trace !== undefined)
    ? run<Stored>('insertTracedOneOffs', ...tracedJobColumns(jobs, origin))
    : run<Stored>('insertOneOffs', ...jobColumns(jobs), origin);
}

function insertNewOneOffs(run: Run, jobs: readonly NewJob[]): Promise<Stored[]> {
  const [first] = jobs;
  return jobs.length === 1
    ? run<Stored>('insertNewOneOff', ...oneJobColumns(first!), 'at')
    : run<Stored>('insertNewOneOffs', ...jobColumns(jobs), 'at');
}

async function insertRecurring(
  run: Run,
  jobs: readonly NewJob[],
  generation: number,
): Promise<(Created | null)[]> {
  if (jobs.length === 0) return [];
  const delays = jobs.map(({ trigger }) => fixedDelayMs(trigger));
  return created(jobs, await run<Stored>('insertRecurring', ...jobColumns(jobs), delays, generation));
}

/** What the statements return: see `storedKeys`. */
interface Stored {
  created_at: EpochMs;
  stored: [namespace: string, id: string][] | null;
  pauses: [kind: ScopeRef['kind'], name: string][] | null;
}

function created(jobs: readonly NewJob[], [{ created_at, stored, pauses }]: Stored[]): (Created | null)[] {
  const made = { at: created_at, pauses: (pauses ?? []).map(([kind, name]) => ({ kind, name })) };
  if (stored === null) return jobs.map(() => made);
  const keys = new Set(stored.map(([namespace, id]) => keyOf({ namespace, id })));
  return jobs.map((job) => (keys.delete(keyOf(job)) ? made : null));
}

/** Those of the indexes whose jobs have an id that none before them has. */
function firstOfEach(jobs: readonly NewJob[], open: readonly number[]): readonly number[] {
  const seen = new Set<string>();
  return open.filter((index) => {
    const job = jobs[index]!;
    if (job.newId) return true;
    const isFirst = !seen.has(keyOf(job));
    seen.add(keyOf(job));
    return isFirst;
  });
}

/** What a job looks like that has just been created: nothing else can have happened to it. */
export function newJob(given: NewJob, { at: now, pauses }: Created): Job {
  const { trigger } = given;
  // A one-off without a time is due at once, unless it waits for others.
  const waits = trigger.type === 'after';
  const nextAt = given.nextAt ?? (isOneOff(given.source, given.trigger) && !waits ? now : null);
  const createdAt = new Date(now);
  const pausedBy = pauses.length === 0 ? null : stoppedBy(pauses, given);
  const hasFuture = nextAt !== null || trigger.type === 'manual' || waits;
  // Key by key: a spread takes several times as long, and there may be very many.
  return {
    namespace: given.namespace,
    id: given.id,
    name: given.name,
    handler: given.handler,
    queue: given.queue,
    priority: given.priority,
    trigger,
    timeZone: given.timeZone,
    payload: given.payload,
    metadata: given.metadata,
    policies: given.policies,
    source: given.source,
    app: given.app,
    state: !hasFuture ? 'completed' : pausedBy !== null ? 'paused' : waits ? 'waiting' : 'pending',
    paused: null,
    pausedBy,
    orphanedAt: null,
    changed: null,
    nextRunAt: nextAt === null || nextAt === Infinity ? null : new Date(nextAt),
    waitsFor: trigger.type === 'after' ? [...trigger.jobs] : null,
    runCount: 0,
    errorCount: 0,
    consecutiveFailures: 0,
    lastRunAt: null,
    lastVerdict: null,
    lastError: null,
    createdAt,
    updatedAt: createdAt,
    revision: 1,
  };
}

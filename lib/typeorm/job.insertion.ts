import type { Job } from '../model/job.js';
import type { ConflictPolicy, EpochMs, InsertResult, NewJob } from '../ports/storage.adapter.js';
import { fixedDelayMs } from './fixed.delay.js';
import { getJobs, keyOf } from './job.queries.js';
import { insertColumns, isOneOff } from './job.rows.js';
import type { Run } from './statement.runner.js';

/** What the caller does with ids that are taken: one result for each; null, the id is free again by now. */
type OnTaken = (jobs: readonly NewJob[]) => Promise<(InsertResult | null)[]>;

interface Created {
  namespace: string;
  id: string;
  next_at: EpochMs | null;
  created_at: EpochMs;
}

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
  const results = Array.from<InsertResult | undefined>({ length: jobs.length });
  let open = jobs.map((job, index) => ({ job, index }));
  while (open.length > 0) {
    const seen = new Set<string>();
    const batch = open.filter(({ job }) => {
      const isFirst = !seen.has(keyOf(job));
      seen.add(keyOf(job));
      return isFirst;
    });
    const created = await insertNew(
      run,
      batch.map(({ job }) => job),
    );
    const taken: typeof batch = [];
    for (const item of batch) {
      const row = created.get(keyOf(item.job));
      if (row) results[item.index] = { status: 'created', job: newJob(item.job, row) };
      else if (onConflict === 'raise') results[item.index] = { status: 'conflict' };
      else taken.push(item);
    }
    const found = taken.length === 0 ? [] : await onTaken(taken.map(({ job }) => job));
    for (const [nth, { index }] of taken.entries()) results[index] = found[nth] ?? undefined;
    open = open.filter(({ index }) => results[index] === undefined);
  }
  return results as InsertResult[];
}

/** Those that are there, in one statement. */
export async function existingJobs(run: Run, taken: readonly NewJob[]): Promise<(InsertResult | null)[]> {
  const jobs = await getJobs(run, taken);
  return jobs.map((job) => job && { status: 'existing', job });
}

/** Inserts what is not there yet; the keys are distinct. Recurring jobs are declared by `generation`, 0: by none. */
export async function insertNew(
  run: Run,
  jobs: readonly NewJob[],
  generation = 0,
): Promise<Map<string, Created>> {
  const rows: Created[] = [];
  const oneOffs = jobs.filter((job) => isOneOff(job.source, job.trigger));
  const recurring = jobs.filter((job) => !isOneOff(job.source, job.trigger));
  if (oneOffs.length > 0)
    rows.push(...(await run<Created>('insertOneOffs', ...insertColumns(oneOffs), 'at')));
  if (recurring.length > 0) {
    const delays = recurring.map(({ trigger }) => fixedDelayMs(trigger));
    rows.push(...(await run<Created>('insertRecurring', ...insertColumns(recurring), delays, generation)));
  }
  return new Map(rows.map((row) => [keyOf(row), row]));
}

/** Gives birth to callbacks, due now; one whose id is taken is left out. */
export async function bearCallbacks(run: Run, callbacks: readonly NewJob[]): Promise<void> {
  if (callbacks.length > 0) await run('insertOneOffs', ...insertColumns(callbacks), 'callback');
}

/** What a job looks like that has just been created: nothing else can have happened to it. */
function newJob(given: NewJob, { next_at, created_at }: Created): Job {
  const { type } = given.trigger;
  const hasFuture = next_at !== null || type === 'manual';
  const createdAt = new Date(created_at);
  // Key by key: a spread takes several times as long, and there may be very many.
  return {
    namespace: given.namespace,
    id: given.id,
    name: given.name,
    handler: given.handler,
    queue: given.queue,
    priority: given.priority,
    trigger: copyOf(given.trigger),
    timeZone: given.timeZone,
    payload: copyOf(given.payload),
    metadata: copyOf(given.metadata),
    policies: copyOf(given.policies),
    source: given.source,
    app: given.app,
    state: type === 'after' ? 'waiting' : hasFuture ? 'pending' : 'completed',
    paused: null,
    orphanedAt: null,
    nextRunAt: next_at === null || next_at === Infinity ? null : new Date(next_at),
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

/** Of JSON; several times as fast as structuredClone. */
function copyOf<T>(json: T): T {
  if (typeof json !== 'object' || json === null) return json;
  for (const _ in json) return JSON.parse(JSON.stringify(json)) as T;
  return (Array.isArray(json) ? [] : {}) as T;
}

import { JobAlreadyExistsError } from '../model/errors.js';
import type { JobRef } from '../model/job.js';
import type { RunVerdict } from '../model/verdict.js';
import type { ConflictPolicy, InsertResult, NewJob } from '../ports/storage.adapter.js';
import { parentsFirst, refuseParent, waitsForJobs, type WaitingJob } from '../ports/waits.js';
import { insertNew, newJob, type Created } from './job.insertion.js';
import { getJobs, keyOf } from './job.queries.js';
import type { Run } from './statement.runner.js';

const rowsPerStatement = 500;

interface ParentRow {
  namespace: string;
  job_id: string;
  recurs: boolean;
  verdict: RunVerdict | null;
}

/** Stores jobs of which some wait for others, in a transaction: all of them, or none. Whatever they wait for is locked before it is looked at, so that it does not end unseen. */
export async function insertWaitingJobs(
  run: Run,
  jobs: readonly NewJob[],
  onConflict: ConflictPolicy,
): Promise<InsertResult[]> {
  const known = await lockKnown(run, jobs);
  const taken = jobs.filter((job) => known.has(keyOf(job)));
  if (taken.length > 0 && onConflict !== 'ignore') refuseTaken(taken[0]!);
  const fresh = jobs.filter((job) => !known.has(keyOf(job)));
  const own = new Map(fresh.map((job) => [keyOf(job), job]));
  for (const job of fresh.filter(waitsForJobs)) {
    for (const id of job.trigger.jobs) await assertFit(run, known, own, job, id);
  }
  const created = new Map<NewJob, Created>();
  const ordered = parentsFirst(fresh);
  for (let start = 0; start < ordered.length; start += rowsPerStatement) {
    const some = ordered.slice(start, start + rowsPerStatement);
    const made = await insertNew(run, some);
    // Somebody else has taken the id since these were locked.
    for (const [nth, job] of some.entries()) created.set(job, made[nth] ?? refuseTaken(job));
  }
  const waits = fresh.filter(waitsForJobs);
  if (waits.length > 0) await run('storeWaits', ...waitColumns(waits));
  const existing = (await getJobs(run, taken)).values();
  return jobs.map((job): InsertResult => {
    const made = created.get(job);
    if (made) return { status: 'created', job: newJob(job, made) };
    return { status: 'existing', job: existing.next().value! };
  });
}

async function lockKnown(run: Run, jobs: readonly NewJob[]): Promise<ReadonlyMap<string, ParentRow>> {
  const refs = new Map<string, JobRef>();
  for (const job of jobs) {
    const { namespace } = job;
    const ids = waitsForJobs(job) ? job.trigger.jobs : [];
    for (const id of job.newId ? ids : [job.id, ...ids])
      refs.set(keyOf({ namespace, id }), { namespace, id });
  }
  const asked = [...refs.values()];
  const rows = await run<ParentRow>(
    'lockParents',
    asked.map(({ namespace }) => namespace),
    asked.map(({ id }) => id),
  );
  return new Map(rows.map((row) => [keyOf({ namespace: row.namespace, id: row.job_id }), row]));
}

async function assertFit(
  run: Run,
  known: ReadonlyMap<string, ParentRow>,
  own: ReadonlyMap<string, NewJob>,
  child: WaitingJob,
  id: string,
): Promise<void> {
  const ref = { namespace: child.namespace, id };
  const given = own.get(keyOf(ref));
  if (given) {
    if (given.trigger.type !== 'at' && given.trigger.type !== 'after') refuseParent(child, id, 'recurring');
    return;
  }
  const row = known.get(keyOf(ref));
  if (row?.recurs) refuseParent(child, id, 'recurring');
  if (row?.verdict) refuseParent(child, id, row.verdict);
  if (row) return;
  const [last] = await run<{ verdict: RunVerdict }>('readLastVerdict', ref.namespace, ref.id);
  refuseParent(child, id, last?.verdict ?? 'unknown');
}

function refuseTaken({ id, namespace }: NewJob): never {
  throw new JobAlreadyExistsError(id, namespace);
}

function waitColumns(waits: readonly WaitingJob[]): unknown[] {
  const rows = waits.flatMap(({ namespace, id, trigger }) =>
    trigger.jobs.map((parent, nth) => ({ namespace, id, parent, nth })),
  );
  return [
    rows.map(({ namespace }) => namespace),
    rows.map(({ id }) => id),
    rows.map(({ parent }) => parent),
    rows.map(({ nth }) => nth),
  ];
}

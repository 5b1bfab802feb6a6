import { JobAlreadyExistsError } from '../model/errors.js';
import type { ConflictPolicy, EpochMs, InsertResult, NewJob } from '../ports/storage.adapter.js';
import { parentsFirst, refuseParent, waitsForJobs, type WaitingJob } from '../ports/waits.js';
import { onlyRun, toJob } from './rows.to.views.js';
import { awaitRuns } from './run.waits.js';
import { keyOf, type JobRow, type MemoryTables } from './tables.js';

type Insert = (tables: MemoryTables, now: EpochMs, given: NewJob) => JobRow;

/** Stores jobs of which some wait for others: all of them, or none. */
export function insertWaitingJobs(
  tables: MemoryTables,
  now: EpochMs,
  jobs: readonly NewJob[],
  onConflict: ConflictPolicy,
  insert: Insert,
): InsertResult[] {
  const taken = new Map(jobs.map((job) => [job, tables.jobs.get(keyOf(job))] as const));
  const fresh = jobs.filter((job) => taken.get(job) === undefined);
  const [first] = jobs.filter((job) => taken.get(job) !== undefined);
  if (first && onConflict !== 'ignore') throw new JobAlreadyExistsError(first.id, first.namespace);
  const own = new Map(fresh.map((job) => [keyOf(job), job]));
  for (const job of fresh.filter(waitsForJobs)) {
    for (const id of job.trigger.jobs) assertFit(tables, own, job, id);
  }
  const stored = new Map<NewJob, JobRow>();
  for (const job of parentsFirst(fresh)) stored.set(job, insert(tables, now, job));
  for (const job of fresh.filter(waitsForJobs)) {
    const parents = job.trigger.jobs.map((id) => tables.jobs.get(keyOf({ ...job, id }))!);
    awaitRuns(tables, onlyRun(stored.get(job)!), parents.map(onlyRun));
  }
  return jobs.map((job) => {
    const row = stored.get(job);
    return row
      ? { status: 'created', job: toJob(tables, row) }
      : { status: 'existing', job: toJob(tables, taken.get(job)!) };
  });
}

function assertFit(
  tables: MemoryTables,
  own: ReadonlyMap<string, NewJob>,
  child: WaitingJob,
  id: string,
): void {
  const ref = { namespace: child.namespace, id };
  const given = own.get(keyOf(ref));
  if (given) {
    if (given.trigger.type !== 'at' && given.trigger.type !== 'after') refuseParent(child, id, 'recurring');
    return;
  }
  const parent = tables.jobs.get(keyOf(ref));
  if (parent?.kind === 'recurring') refuseParent(child, id, 'recurring');
  const verdict = parent ? onlyRun(parent).verdict : lastVerdict(tables, ref);
  if (verdict !== null) refuseParent(child, id, verdict);
  if (!parent) refuseParent(child, id, 'unknown');
}

/** As the ledger has it. */
function lastVerdict({ ledger }: MemoryTables, ref: { namespace: string; id: string }) {
  const last = ledger.findLast(
    ({ final, jobId, namespace }) => final && jobId === ref.id && namespace === ref.namespace,
  );
  return (last?.outcome ?? null) as Parameters<typeof refuseParent>[2] | null;
}

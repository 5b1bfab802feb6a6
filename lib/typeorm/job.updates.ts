import { changedBy } from '../model/job.changes.js';
import type { Job, JobDefinition, JobRef } from '../model/job.js';
import { replacementOf } from '../ports/definitions.js';
import type { EpochMs, InsertResult, JobPatch, NewJob } from '../ports/storage.adapter.js';
import { getJob, getJobs, keyOf } from './job.queries.js';
import { redefine } from './job.redefinition.js';
import type { Change, StatementScope } from './statement.runner.js';
import { handOver, lockJob, lockJobs, type StoredJob } from './stored.job.js';

const jobsPerTransaction = 50;

/** Changes what the patch names; with `expectedRevision`, only if the job is as it was then. */
export async function changeJob(
  { run, readClock }: Change,
  ref: JobRef,
  patch: JobPatch,
  expectedRevision?: number,
): Promise<Job | 'not-found' | 'stale'> {
  const job = await lockJob(run, ref);
  if (job === null) return 'not-found';
  if (expectedRevision !== undefined && job.revision !== expectedRevision) return 'stale';
  const { nextAt, app = job.app, changed, ...given } = patch;
  if (changed !== undefined && job.kind === 'recurring' && job.source === 'code') job.changes = changed;
  const changes = Object.entries(given).filter(([, value]) => value !== undefined);
  const definition: JobDefinition = { ...job.definition, ...Object.fromEntries(changes) };
  await redefine(run, await readClock(), handOver(job, app), definition, nextAt);
  return (await getJob(run, ref)) ?? 'not-found';
}

/**
 * Gives existing jobs another definition and time; null: gone by now. Some share a transaction, for the sake of its commit, but not so many that
 * others would wait long for their locks; in the order of ids, so that two of these do not meet in a deadlock.
 */
export async function replaceJobs(
  statements: StatementScope,
  taken: readonly NewJob[],
): Promise<(InsertResult | null)[]> {
  const results = new Map<NewJob, InsertResult | null>();
  const ordered = taken.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  for (let start = 0; start < ordered.length; start += jobsPerTransaction) {
    const some = ordered.slice(start, start + jobsPerTransaction);
    const replaced = await statements.change((change) => replaceSome(change, some));
    for (const [nth, job] of some.entries()) results.set(job, replaced[nth]!);
  }
  return taken.map((job) => results.get(job)!);
}

/** A declared job stays its code's: what is given lies over the declaration. */
function replaced(job: StoredJob, given: NewJob, at: EpochMs): StoredJob {
  if (job.source !== 'code' || job.kind === 'one-off')
    return { ...handOver(job, given.app), definitionHash: given.definitionHash };
  return { ...job, changes: changedBy(job, given, { at, by: null }) };
}

async function replaceSome(
  { run, readClock }: Change,
  given: readonly NewJob[],
): Promise<(InsertResult | null)[]> {
  const locked = await lockJobs(run, given, true);
  const now = await readClock();
  for (const [nth, job] of locked.entries()) {
    if (job === null) continue;
    const { job: wanted, nextAt } = replacementOf(given[nth]!, job, now);
    await redefine(run, now, replaced(job, wanted, now), wanted, nextAt);
  }
  const jobs = await getJobs(run, given);
  return jobs.map((job, nth) => (locked[nth] && job ? { status: 'replaced', job } : null));
}

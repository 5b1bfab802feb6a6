import type { Job, JobDefinition, JobRef } from '../model/job.js';
import type { InsertResult, JobPatch, NewJob } from '../ports/storage.adapter.js';
import { getJob } from './job.queries.js';
import { redefine } from './job.redefinition.js';
import type { Change } from './statement.runner.js';
import { lockJob } from './stored.job.js';

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
  const { nextAt, ...given } = patch;
  const changes = Object.entries(given).filter(([, value]) => value !== undefined);
  const definition: JobDefinition = { ...job.definition, ...Object.fromEntries(changes) };
  await redefine(run, await readClock(), job, definition, nextAt);
  return (await getJob(run, ref)) ?? 'not-found';
}

/** Gives an existing job another definition and time; null: it is gone by now. */
export async function replaceJob({ run, readClock }: Change, given: NewJob): Promise<InsertResult | null> {
  const job = await lockJob(run, given);
  if (job === null) return null;
  job.definitionHash = given.definitionHash;
  await redefine(run, await readClock(), job, given, given.nextAt);
  const replaced = await getJob(run, given);
  return replaced && { status: 'replaced', job: replaced };
}

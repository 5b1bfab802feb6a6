import type { JobRef } from '../model/job.js';
import { orphan } from './definition.changes.js';
import type { Change } from './statement.runner.js';
import { graspJobs } from './stored.job.js';

/** Orphans the declared jobs of an app that no worker has carried for the grace time; returns those. What somebody else has locked is left to the next. */
export async function orphanUndeclared(
  { run, readClock }: Change,
  app: string,
  graceMs: number,
): Promise<JobRef[]> {
  const find = async (): Promise<string[]> =>
    (await run<{ uid: string }>('uncarried', app, graceMs)).map(({ uid }) => uid);
  // Usually there is nothing to do, and then nothing is locked.
  if ((await find()).length === 0) return [];
  await run('lockApp', app);
  const jobs = await graspJobs(run, await find());
  const now = await readClock();
  const orphaned: JobRef[] = [];
  for (const uid of await find()) {
    const job = jobs.get(uid);
    if (!job) continue;
    await orphan(run, now, job, 'undeclared');
    orphaned.push({ namespace: job.definition.namespace, id: job.definition.id });
  }
  return orphaned;
}

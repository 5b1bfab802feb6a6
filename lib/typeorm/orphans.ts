import type { JobRef } from '../model/job.js';
import { adopt, orphan } from './definition.sync.js';
import type { Change } from './statement.runner.js';
import { graspJobs } from './stored.job.js';

/** Marks the declared jobs of an app by whether a live worker declares them; returns those that were orphaned by this call. What somebody else has locked is left to the next. */
export async function orphanUndeclared(
  { run, readClock }: Change,
  app: string,
  graceMs: number,
): Promise<JobRef[]> {
  type Row = { uid: string; change: 'adopt' | 'note' | 'orphan' };
  // Usually there is nothing to do, and then nothing is locked.
  if ((await run<Row>('undeclared', app, graceMs)).length === 0) return [];
  await run('lockApp', app);
  const found = await run<Row>('undeclared', app, graceMs);
  const jobs = await graspJobs(
    run,
    found.map(({ uid }) => uid),
  );
  const now = await readClock();
  const orphaned: JobRef[] = [];
  for (const { uid, change } of await run<Row>('undeclared', app, graceMs)) {
    const job = jobs.get(uid);
    if (!job) continue;
    if (change === 'adopt') {
      await adopt(run, job);
    } else if (change === 'note') {
      await run('markJob', uid, 'note');
    } else {
      await orphan(run, now, job);
      orphaned.push({ namespace: job.definition.namespace, id: job.definition.id });
    }
  }
  return orphaned;
}

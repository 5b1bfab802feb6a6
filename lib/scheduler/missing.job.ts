import { JobNotFoundError } from '../model/errors.js';
import type { JobRef } from '../model/job.js';
import type { JobStore } from '../ports/storage.adapter.js';
import { nearestName } from '../model/nearest.name.js';

const prefixLength = 2;
const mostCompared = 500;

/** The error for a job that is not there, with the id in its namespace that was probably meant. */
export async function missingJob({ namespace, id }: JobRef, jobs: JobStore): Promise<JobNotFoundError> {
  const near = { namespace, idPrefix: id.slice(0, prefixLength) };
  const { items } = await jobs.queryJobs(near, { limit: mostCompared });
  const meant = nearestName(
    id,
    items.map((job) => job.id),
  );
  return new JobNotFoundError(id, namespace, meant);
}

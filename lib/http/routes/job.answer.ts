import { JobNotFoundError, type Job } from '../../index.js';
import type { Answer, Call, Repeated } from '../route.js';
import { jobIn, namespaceIn } from './common.js';

/** A job, with its revision. */
export function answered(found: Job): Required<Pick<Answer, 'body' | 'headers'>> {
  return { body: found, headers: { ETag: `"${found.revision}"` } };
}

/** The job that the request names. Throws JobNotFoundError. */
export async function theJob(call: Call): Promise<Job> {
  const found = await call.scheduler.getJob(jobIn(call), namespaceIn(call));
  if (found !== null) return found;
  throw new JobNotFoundError(jobIn(call), namespaceIn(call).namespace ?? 'default');
}

/** The job as it is by now: its payload is not kept with the entry. */
export const jobAgain: Repeated = async (call) => answered(await theJob(call));

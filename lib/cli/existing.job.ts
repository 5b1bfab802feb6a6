import type { Job } from '../index.js';
import { FailedError } from './cli.errors.js';
import type { Session } from './session.js';

/** Throws JobNotFoundError. */
export async function existingJob(
  scheduler: Session['scheduler'],
  id: string,
  place: { namespace?: string },
): Promise<Job> {
  const job = await scheduler.getJob(id, place);
  if (job !== null) return job;
  // It knows which id was probably meant.
  await scheduler.previewJob(id, place);
  throw new FailedError(`The job "${id}" has just come. Try again.`);
}

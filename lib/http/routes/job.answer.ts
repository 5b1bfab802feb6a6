import type { Job } from '../../index.js';
import type { Answer } from '../route.js';

/** A job, with its revision. */
export function answered(found: Job): Required<Pick<Answer, 'body' | 'headers'>> {
  return { body: found, headers: { ETag: `"${found.revision}"` } };
}

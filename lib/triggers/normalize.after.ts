import type { AfterTrigger, DurationInput } from '../model/trigger.js';
import { parseDuration } from './duration.js';
import { checkKeys } from './keys.js';
import { refuse, shown } from './refuse.js';

const maxJobs = 1_000;

/** The stored form of a trigger that waits for other jobs. */
export function normalizeAfter(given: object): AfterTrigger {
  const keys = checkKeys(given, ['type', 'jobs', 'delay'], 'after');
  const jobs = keys.jobs;
  if (!Array.isArray(jobs) || jobs.length === 0) {
    refuse(given, 'empty', 'jobs: no job is named.', {
      field: 'jobs',
      hint: 'Give the ids of the jobs to wait for.',
    });
  }
  if (jobs.length > maxJobs)
    refuse(given, 'out-of-range', `jobs: more than ${maxJobs} are named.`, { field: 'jobs' });
  for (const id of jobs) {
    if (typeof id !== 'string' || id === '') {
      refuse(given, id === '' ? 'empty' : 'bad-name', `jobs: ${shown(id)} is not the id of a job.`, {
        field: 'jobs',
      });
    }
  }
  const after: AfterTrigger = { type: 'after', jobs: [...new Set(jobs as string[])] };
  if (keys.delay !== undefined && keys.delay !== 0)
    after.delay = parseDuration(keys.delay as DurationInput, 'delay');
  return after;
}

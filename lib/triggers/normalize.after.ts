import type { AfterTrigger, DurationInput } from '../model/trigger.js';
import { parseDuration } from './duration.js';
import { checkKeys, checkWord } from './keys.js';
import { refuse, shown } from './refuse.js';

const maxJobs = 1_000;

/** The stored form of a trigger that waits for other jobs. */
export function normalizeAfter(given: object): AfterTrigger {
  const keys = checkKeys(given, ['type', 'jobs', 'need', 'otherwise', 'delay'], 'after');
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
  const need = needOf(keys.need, after.jobs.length);
  if (need !== after.jobs.length) after.need = need;
  const otherwise =
    keys.otherwise === undefined
      ? 'block'
      : checkWord(keys.otherwise, ['block', 'cancel', 'run'], 'otherwise');
  if (otherwise !== 'block') after.otherwise = otherwise;
  if (keys.delay !== undefined && keys.delay !== 0)
    after.delay = parseDuration(keys.delay as DurationInput, 'delay');
  return after;
}

function needOf(need: unknown, parents: number): number {
  if (need === undefined || need === 'all') return parents;
  if (need === 'any') return 1;
  if (typeof need === 'number' && Number.isInteger(need) && need >= 1 && need <= parents) return need;
  const problem = `need: ${shown(need)} is not 'all', 'any' or a whole number from 1 to ${parents}, the number of jobs that are named.`;
  return refuse(need, 'out-of-range', problem, { field: 'need' });
}

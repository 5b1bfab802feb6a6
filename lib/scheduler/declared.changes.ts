import type { Job, JobDefinition } from '../model/job.js';
import {
  changedBy,
  declaredOf,
  toStoredChanges,
  type ChangeableOption,
  type ChangeBy,
  type StoredChanges,
} from '../model/job.changes.js';
import { stableJson } from '../model/json.js';
import type { Calendars } from '../model/trigger.js';
import type { JobPatch } from '../ports/storage.adapter.js';
import type { GivenChanges } from './create.options.js';
import { beginSchedule } from './job.definition.js';
import { policiesOf } from './policy.options.js';

const ownOptions = ['name', 'handler', 'queue', 'priority', 'payload', 'metadata'] as const;

/** What is changed at run time of a declared job once these changes are made. */
export function changesBy(
  before: Job,
  after: JobDefinition,
  given: GivenChanges,
  by: ChangeBy,
): StoredChanges | null {
  const isScheduled = given.trigger !== undefined || given.timeZone !== undefined;
  const named: ChangeableOption[] = [
    ...ownOptions.filter((option) => given[option] !== undefined),
    ...(isScheduled ? (['trigger', 'timeZone'] as const) : []),
    ...(Object.keys(policiesOf(given)) as ChangeableOption[]),
  ];
  return changedBy({ definition: before, changes: toStoredChanges(before.changed) }, after, by, named);
}

/** What gives a declared job all that the code says; the next time is another one only if the schedule is. null: nothing is changed at run time. */
export function resetOf(job: Job, now: number, calendars: Calendars): JobPatch | null {
  const changes = toStoredChanges(job.changed);
  if (changes === null) return null;
  const { namespace: _, id: __, trigger, timeZone, ...declared } = declaredOf({ definition: job, changes });
  const patch: JobPatch = { ...declared, changed: null };
  if (stableJson([trigger, timeZone]) === stableJson([job.trigger, job.timeZone])) return patch;
  const { nextAt } = beginSchedule({ ...job, trigger }, now, calendars);
  // A single instant that is past would run for a time at which it did not hold.
  return { ...patch, trigger, timeZone, nextAt: nextAt !== null && nextAt <= now ? null : nextAt };
}

import type { JobDefinition } from '../model/job.js';
import type { Calendars } from '../model/trigger.js';
import { refKey } from '../scheduler/job.identity.js';
import { clockRemarks, type InstantRemark } from '../triggers/clock.remarks.js';
import { compileTrigger } from '../triggers/compiled.trigger.js';
import { describeStored } from '../triggers/describe.js';
import type { PlannedSchedule } from './deploy.plan.js';

const yearMs = 366 * 86_400_000;
const timesShown = 3;
const remarksShown = 4;

type Scheduled = Pick<JobDefinition, 'namespace' | 'id' | 'trigger' | 'timeZone'>;

/** The schedule of a job that stands at `nextAt`; null: at no time. */
export function plannedSchedule(
  job: Scheduled,
  nextAt: number | null,
  calendars: Calendars,
): PlannedSchedule {
  const compiled = compileTrigger(job.trigger, refKey(job), calendars);
  const next: Date[] = [];
  for (let at = nextAt; at !== null && at < Infinity && next.length < timesShown;) {
    next.push(new Date(at));
    at = compiled.fixedDelayMs === null ? compiled.next(at) : at + compiled.fixedDelayMs;
  }
  return { schedule: describeStored(job.trigger, refKey(job)), timeZone: job.timeZone, next };
}

/** What changes of the clocks do to it within a year. */
export function plannedRemarks(job: Scheduled, now: number, calendars: Calendars): InstantRemark[] {
  const compiled = compileTrigger(job.trigger, refKey(job), calendars);
  return clockRemarks(compiled, job.timeZone, { from: now, until: now + yearMs, most: remarksShown });
}

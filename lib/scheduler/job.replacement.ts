import type { Job } from '../model/job.js';
import { stableJson } from '../model/json.js';
import { isOnce, type Calendars, type TriggerInput } from '../model/trigger.js';
import type {
  ConflictPolicy,
  InsertResult,
  NewJob,
  ScheduleOver,
  StoredSchedule,
} from '../ports/storage.adapter.js';
import { waitsForJobs } from '../ports/waits.js';
import type { JobAccess } from './job.access.js';
import { beginSchedule } from './job.definition.js';
import type { Insertion } from './job.inserter.js';

/** A job to be stored, with its schedule as it was given. */
export interface Replacement {
  job: NewJob;
  trigger: TriggerInput;
  onConflict: ConflictPolicy;
}

/**
 * Stores a job. One that is replaced and keeps its schedule keeps its next time as well: what is said again at each start, and by each instance,
 * must neither put off an interval nor leave out an instant that is due just then. An interval that becomes another one stays on its grid.
 */
export async function storeJob(
  access: JobAccess,
  given: Replacement,
  calendars: Calendars,
): Promise<InsertResult> {
  // All that a call stores with it is stored with it, or nothing: so others' jobs are not.
  if (waitsForJobs(given.job)) return (await access.jobs.insertJobs([given.job], given.onConflict))[0]!;
  const replaced = await replaceInPlace(access, given, calendars);
  return 'status' in replaced ? replaced : access.insert(replaced.job, replaced.onConflict);
}

/** Replaces a job that keeps its schedule. Else nothing is done yet, and this gives what is to be inserted. */
export async function replaceInPlace(
  { jobs, changed }: JobAccess,
  { job, trigger, onConflict }: Replacement,
  calendars: Calendars,
): Promise<InsertResult | Insertion> {
  if (onConflict !== 'replace' || isOnce(job.trigger)) return { job, onConflict };
  // Somebody else may change the job, or delete it, before it is replaced: then the storage decides by what it finds.
  const over = (found: StoredSchedule): ScheduleOver | null => scheduleOver(found, job, trigger, calendars);
  const insertion = { job: { ...job, over }, onConflict };
  const stored = await jobs.getJob(job);
  if (stored === null || !keepsSchedule(over(stored))) return insertion;
  const { name, handler, queue, priority, payload, metadata, policies } = job;
  const app = job.app ?? undefined;
  const patch = { app, name, handler, queue, priority, payload, metadata, policies };
  const result = await jobs.updateJob(job, patch, stored.revision);
  if (result === 'not-found' || result === 'stale') return insertion;
  changed();
  return { status: 'replaced', job: result };
}

const keepsSchedule = (over: ScheduleOver | null): boolean => over !== null && over.nextAt === undefined;

/** What the job that is given does to the schedule of the one that is there. null: it has its own. */
function scheduleOver(
  stored: StoredSchedule,
  job: NewJob,
  given: TriggerInput,
  calendars: Calendars,
): ScheduleOver | null {
  const onGrid = withStoredAnchor(stored, job, given);
  const { trigger } = onGrid;
  if (sameSchedule(stored, onGrid)) return { trigger };
  if (onGrid === job) return null;
  return { trigger, nextAt: beginSchedule(onGrid, Date.parse(anchorOf(job)!), calendars).nextAt };
}

function sameSchedule(stored: StoredSchedule, { trigger, timeZone }: NewJob): boolean {
  if (stored.source !== 'api' || stored.timeZone !== timeZone) return false;
  return stableJson(trigger) === stableJson(stored.trigger);
}

/** Whoever names no anchor agrees with the one that the interval has. */
function withStoredAnchor(stored: StoredSchedule, job: NewJob, given: TriggerInput): NewJob {
  const { trigger } = job;
  const anchor = anchorOf(stored);
  if (trigger.type !== 'interval' || anchor === undefined) return job;
  if (trigger.startAt !== undefined || ('anchor' in given && given.anchor !== undefined)) return job;
  return { ...job, trigger: { ...trigger, anchor } };
}

function anchorOf({ trigger }: Pick<Job, 'trigger'>): string | undefined {
  return trigger.type === 'interval' ? trigger.anchor : undefined;
}

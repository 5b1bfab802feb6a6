import type { Job } from '../model/job.js';
import type { TriggerInput } from '../model/trigger.js';
import type { ConflictPolicy, InsertResult, NewJob } from '../ports/storage.adapter.js';
import { stableJson } from '../model/json.js';
import type { JobAccess } from './job.access.js';

/**
 * Stores a job. One that is replaced and keeps its schedule keeps its next time as well: what is said again at each start, and by each instance,
 * must neither put off an interval nor leave out an instant that is due just then. `trigger` is the schedule as it was given.
 */
export async function storeJob(
  access: JobAccess,
  job: NewJob,
  trigger: TriggerInput,
  onConflict: ConflictPolicy,
): Promise<InsertResult> {
  return (await replaceInPlace(access, job, trigger, onConflict)) ?? access.insert(job, onConflict);
}

/** Replaces a job that keeps its schedule. Null: it is another case, and nothing was done. */
export async function replaceInPlace(
  { jobs, changed }: JobAccess,
  job: NewJob,
  trigger: TriggerInput,
  onConflict: ConflictPolicy,
): Promise<InsertResult | null> {
  if (onConflict !== 'replace' || job.trigger.type === 'at') return null;
  const stored = await jobs.getJob(job);
  if (stored === null || !sameSchedule(stored, job, trigger)) return null;
  const { name, handler, queue, priority, payload, metadata, policies } = job;
  const app = job.app ?? undefined;
  const patch = { app, name, handler, queue, priority, payload, metadata, policies };
  const result = await jobs.updateJob(job, patch, stored.revision);
  if (result === 'not-found' || result === 'stale') return null;
  changed();
  return { status: 'replaced', job: result };
}

function sameSchedule(stored: Job, job: NewJob, given: TriggerInput): boolean {
  if (stored.source !== 'api' || stored.timeZone !== job.timeZone) return false;
  return stableJson(withStoredAnchor(stored, job, given)) === stableJson(stored.trigger);
}

/** Whoever names no anchor agrees with the one that the interval has. */
function withStoredAnchor(stored: Job, { trigger }: NewJob, given: TriggerInput): object {
  const named = trigger.type === 'interval' && (trigger.startAt ?? ('anchor' in given && given.anchor));
  const anchor = stored.trigger.type === 'interval' ? stored.trigger.anchor : undefined;
  return trigger.type !== 'interval' || named || anchor === undefined ? trigger : { ...trigger, anchor };
}

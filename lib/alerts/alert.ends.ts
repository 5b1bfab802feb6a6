import { selectEvents, type ChronisEventName, type SchedulerService } from '../index.js';
import type { Subject } from './alert.text.js';

/** Events that say that something is over, by those that say that it has begun. */
const ends: Readonly<Record<string, string>> = {
  'files.broken': 'files.mended',
  'files.unreadable': 'files.readable',
  'job.overdue': 'job.overdue.ended',
  'rows.locked': 'rows.unlocked',
  'storage.failing': 'storage.recovered',
  'wake.unavailable': 'wake.recovered',
};
const failures: ReadonlySet<string> = new Set(['run.failed', 'run.timed_out', 'run.lost', 'run.retrying']);
const known: ReadonlySet<string> = new Set(selectEvents('*', 'events'));

/** The event that ends what this one tells of; null: none does. */
export function endOf(name: ChronisEventName): ChronisEventName | null {
  const end = ends[name] ?? '';
  return known.has(end) ? (end as ChronisEventName) : null;
}

/** Whether it is over when the job succeeds. */
export function isFailure(name: ChronisEventName): boolean {
  return failures.has(name);
}

/** Whether the last run of the job that got its verdict has succeeded, by the record: whichever process it was. */
export async function hasSucceeded(
  scheduler: Pick<SchedulerService, 'getAttempts'>,
  { namespace, jobId }: Subject,
): Promise<boolean> {
  if (namespace === undefined || jobId === undefined) return false;
  const query = { namespace, jobId, finalOnly: true, limit: 1 };
  const [last] = (await scheduler.getAttempts(query)).items;
  return last?.outcome === 'succeeded';
}

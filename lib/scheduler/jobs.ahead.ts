import type { JobAhead } from '../events/event.map.js';
import type { Calendars } from '../model/trigger.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { firstLeftOut } from '../triggers/stands.ahead.js';
import { refKey } from './job.identity.js';

/** A clock that was ahead is so for all that has fired: more need not be read. */
const mostJobs = 100;

/** The jobs of an app that have fired by a clock that was ahead. `aheadMs`: how far schedules are ahead of the storage's clock. Rejects when the storage cannot be reached. */
export async function jobsAhead(
  storage: StorageAdapter,
  { app, calendars, aheadMs }: { app: string; calendars: Calendars; aheadMs: number },
): Promise<JobAhead[]> {
  const { items } = await storage.queryJobs(
    { app, triggerType: ['cron', 'interval'] },
    { limit: mostJobs, orderBy: 'id' },
  );
  const now = (await storage.now()) + Math.max(aheadMs, 0);
  return items.flatMap((job) => {
    const { namespace, id, nextRunAt, trigger, pausedBy, createdAt } = job;
    if (nextRunAt === null || pausedBy === 'job') return [];
    const first = firstLeftOut(
      trigger,
      refKey(job),
      nextRunAt.getTime(),
      now,
      createdAt.getTime(),
      calendars,
    );
    return first === null ? [] : [{ namespace, id, nextRunAt, leavesOut: new Date(first) }];
  });
}

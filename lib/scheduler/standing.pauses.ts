import type { ChronisEventMap } from '../events/event.map.js';
import type { JobFilter } from '../model/job.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';

type Told = ChronisEventMap['pauses.standing'];

/** More jobs are not told of. */
const mostJobs = 100;

/** Declared jobs that are paused one by one; without one-offs, of which there may be millions. */
export function standingFilter(app: string): JobFilter {
  return { app, source: 'code', pausedBy: 'job', triggerType: ['cron', 'interval', 'manual'] };
}

/** What is paused of all that concerns a process, for its start; null: nothing. `declares`: whether it declares jobs. Rejects when the storage cannot be reached. */
export async function standingPauses(
  storage: StorageAdapter,
  own: { app: string; queues: readonly string[]; handlers: readonly string[]; declares: boolean },
): Promise<Told | null> {
  const page = { limit: mostJobs, orderBy: 'id' } as const;
  const items = own.declares ? (await storage.queryJobs(standingFilter(own.app), page)).items : [];
  const jobs = items.map(({ namespace, id, paused }) => ({ namespace, id, ...paused! }));
  const pauses = (await storage.queryPauses()).filter(({ kind, name }) => {
    if (kind === 'handler') return own.handlers.includes(name);
    return kind === 'queue' ? own.queues.includes(name) : true;
  });
  return jobs.length + pauses.length === 0 ? null : { pauses, jobs };
}

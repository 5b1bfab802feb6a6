import type { ChronisEvents } from '../events/chronis.events.js';
import type { ChronisEventMap } from '../events/event.map.js';
import type { Job, JobFilter, JobOrder } from '../model/job.js';
import { isOnce } from '../model/trigger.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import type { EngineOptions } from './engine.options.js';

/** More are not looked at, and told of, at once. */
const mostJobs = 100;
/** Not in each round: it is no hurry, and an idle process should make few calls. */
const lookAgainMs = 60_000;
/** What lasts is told again after so long. */
const tellAgainMs = 600_000;

/** Jobs that would fire if somebody served their queue. */
const firing = ['pending', 'scheduled', 'running'] as const satisfies JobFilter['state'];

type Told = ChronisEventMap['jobs.unserved'];

/**
 * Tells of due jobs in queues that no live worker of their app serves: their times pass, and nothing fires them. Runs in such queues are put off and told as `runs.deferred`; a job that never fires has
 * none.
 */
export class UnservedQueues {
  /** By app and queue (monotonic). */
  private readonly told = new Map<string, number>();
  /** Monotonic. */
  private lookedAt: number;

  constructor(
    private readonly storage: StorageAdapter,
    private readonly clock: Clock,
    private readonly events: ChronisEvents,
    private readonly options: Pick<EngineOptions, 'app' | 'queues'>,
  ) {
    this.lookedAt = clock.monotonic();
  }

  async tell(): Promise<void> {
    const now = this.clock.monotonic();
    if (now - this.lookedAt < lookAgainMs) return;
    this.lookedAt = now;
    // By the local clock, which is near enough: what is not due yet is not served either.
    const nextBefore = new Date(this.clock.now());
    const unserved = await unservedJobs(this.storage, this.options, { nextBefore }, 'nextRunAt');
    const keys = new Set(unserved.map(keyOf));
    for (const key of this.told.keys()) if (!keys.has(key)) this.told.delete(key);
    for (const each of unserved) {
      if (now - (this.told.get(keyOf(each)) ?? -Infinity) < tellAgainMs) continue;
      this.told.set(keyOf(each), now);
      this.events.emit('jobs.unserved', each);
    }
  }
}

/** Jobs of the app that would fire, and whose queue no live worker serves, by app and queue. Others are asked only where this process does not serve the queue. */
export async function unservedJobs(
  storage: StorageAdapter,
  { app, queues }: Pick<EngineOptions, 'app' | 'queues'>,
  filter: JobFilter,
  orderBy: JobOrder = 'id',
): Promise<Told[]> {
  const page = { limit: mostJobs, orderBy };
  const { items } = await storage.queryJobs({ ...filter, state: [...firing] }, page);
  const foreign = items.filter((job) => isOurs(job, app) && isRecurring(job) && !queues.includes(job.queue));
  if (foreign.length === 0) return [];
  const now = await storage.now();
  const live = (await storage.queryWorkers()).filter(({ leaseUntil }) => leaseUntil.getTime() > now);
  const unserved = new Map<string, Told>();
  for (const job of foreign) {
    if (live.some((worker) => isOurs(job, worker.app) && worker.queues.includes(job.queue))) continue;
    const { namespace, id, handler, queue } = job;
    const known = unserved.get(keyOf(job));
    const jobs = [...(known?.jobs ?? []), { namespace, id, handler }];
    unserved.set(keyOf(job), { app: job.app, queue, jobs, queues });
  }
  return [...unserved.values()];
}

/** What was made at run time by older releases is for the workers of any app. */
function isOurs(job: Job, app: string): boolean {
  return job.app === null || job.app === app;
}

/** A one-off is a run, and told as that. */
function isRecurring({ trigger, source }: Job): boolean {
  return !isOnce(trigger) || source === 'code';
}

function keyOf({ app, queue }: Pick<Told, 'app' | 'queue'>): string {
  return JSON.stringify([app, queue]);
}

import { cutList, list, named } from '../events/log.words.js';
import type { Job, JobFilter } from '../model/job.js';
import type { Clock } from '../ports/clock.js';
import { deferralMs, type StorageAdapter } from '../ports/storage.adapter.js';

/** The first of what is due, and of one-offs, by time: what nobody runs is older than what is about to be run. */
const mostJobs = 100;
/** Probes ask every few seconds. */
const lookAgainMs = 60_000;

/** What nobody runs: the handler is missing, or the queue where it is there. */
interface Stranded {
  code: 'doctor.missing-handler' | 'doctor.unserved-queue';
  sentence: string;
}

/** Due jobs that no live process of their app could run, as it would need both their handler and their queue. */
export class StrandedJobs {
  private told: Stranded[] = [];
  /** Monotonic. */
  private lookedAt = -Infinity;

  constructor(
    private readonly storage: StorageAdapter,
    private readonly clock: Clock,
    private readonly app: string,
  ) {}

  /** One for each handler and queue; not older than a minute, unless the storage does not answer. */
  get found(): Stranded[] {
    return [...this.told];
  }

  /** Asks the storage, once a minute at most. Never rejects: that the storage fails is told elsewhere. */
  async look(): Promise<void> {
    const now = this.clock.monotonic();
    if (now - this.lookedAt < lookAgainMs) return;
    this.lookedAt = now;
    try {
      this.told = await this.stranded();
    } catch {
      this.lookedAt = -Infinity;
    }
  }

  private async stranded(): Promise<Stranded[]> {
    const { storage, clock } = this;
    // By the local clock, which is near enough.
    const now = clock.now();
    const first = async (filter: JobFilter): Promise<Job[]> =>
      (await storage.queryJobs(filter, { limit: mostJobs, orderBy: 'nextRunAt' })).items;
    const putOffUntil = new Date(now + deferralMs.most);
    const found = await Promise.all([
      first({ state: ['pending', 'scheduled', 'running'], nextBefore: new Date(now) }),
      // Of one-offs that nobody can execute the next time is put off.
      first({ state: 'pending', triggerType: 'at', nextBefore: putOffUntil }),
    ]);
    const jobs = new Map(found.flat().map((job) => [JSON.stringify([job.namespace, job.id]), job]));
    const due = [...jobs.values()].filter((job) => isOf(job, this.app) && isDue(job, now));
    if (due.length === 0) return [];
    const time = await storage.now();
    const live = (await storage.queryWorkers()).filter(({ leaseUntil }) => leaseUntil.getTime() > time);
    const groups = new Map<string, Job[]>();
    for (const job of due) {
      const { handler, queue } = job;
      const runs = live.some(
        (worker) =>
          isOf(job, worker.app) && worker.queues.includes(queue) && worker.handlers.includes(handler),
      );
      if (runs) continue;
      const key = JSON.stringify([handler, queue]);
      groups.set(key, [...(groups.get(key) ?? []), job]);
    }
    return [...groups.values()].map((jobs) => {
      const [job] = jobs as [Job];
      const isKnown = live.some((worker) => isOf(job, worker.app) && worker.handlers.includes(job.handler));
      const code = isKnown ? 'doctor.unserved-queue' : 'doctor.missing-handler';
      return { code, sentence: this.sentence(jobs) };
    });
  }

  private sentence(jobs: readonly Job[]): string {
    const [{ handler, queue }] = jobs as [Job];
    const names = jobs.map(named).toSorted();
    const shown = names.length > 5 ? cutList(names) : list(names);
    const what = names.length === 1 ? `the job ${shown}, which is due` : `the jobs ${shown}, which are due`;
    return `No live process of "${this.app}" has the handler "${handler}" and the queue "${queue}": nothing runs ${what}.`;
  }
}

/** What was made at run time by older releases is for the workers of any app. */
function isOf(job: Job, app: string): boolean {
  return job.app === null || job.app === app;
}

function isDue({ nextRunAt, trigger, state }: Job, now: number): boolean {
  if (nextRunAt === null) return false;
  if (nextRunAt.getTime() <= now) return true;
  return trigger.type === 'at' && state === 'pending' && Date.parse(trigger.at) <= now;
}

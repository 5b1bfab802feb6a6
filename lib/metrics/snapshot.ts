import type { CancelTimer, Clock, Job, SchedulerService, Stock, StorageAdapter } from '../index.js';

/** What is of all processes, as it was at one moment. */
export interface Snapshot {
  /** By the local clock. */
  takenAt: number;
  /** By how much the storage's clock was ahead. */
  offsetMs: number;
  /** null: the storage takes none. */
  stock: Stock | null;
  jobs: { job: Job; lastSuccessAt: number | null }[];
  /** Of those that say `lateAfter`: which are overdue. */
  overdue: ReadonlySet<string>;
}

interface SnapshotParts {
  scheduler: SchedulerService;
  storage: StorageAdapter;
  clock: Clock;
  jobs: boolean;
  onTaken: (snapshot: Snapshot) => void;
  onFailed: () => void;
}

/** How often it is taken, as long as somebody reads. */
export const snapshotMs = 15_000;
/** Who has not read for so long does not read any more. */
export const viewerMs = 120_000;
/** Of jobs whose last attempt failed the last success is looked for in the record: of so many at a time. */
const mostLookedUp = 20;
const mostJobs = 1_000;

/** Reads what is of all processes: never for a reading, but beside, and only while somebody reads. */
export class Snapshots {
  private readAt = -Infinity;
  private cancel: CancelTimer | null = null;
  private taking: Promise<void> | null = null;
  private isClosed = false;
  /** By job, with the number of its successes when it was looked up. */
  private readonly successes = new Map<string, { successes: number; at: number | null }>();

  constructor(private readonly parts: SnapshotParts) {}

  /** Somebody reads: from now on there is a fresh one every 15 s. */
  noteReader(): void {
    this.readAt = this.parts.clock.monotonic();
    if (this.cancel === null && !this.isClosed) this.round();
  }

  /** Takes one now, or waits for the one that is being taken. Never rejects. */
  take(): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    return (this.taking ??= this.takeOne().finally(() => (this.taking = null)));
  }

  close(): void {
    this.isClosed = true;
    this.cancel?.();
    this.cancel = null;
  }

  private round(): void {
    void this.take();
    this.cancel = this.parts.clock.setTimer(snapshotMs, () => {
      this.cancel = null;
      const isRead = this.parts.clock.monotonic() - this.readAt <= viewerMs;
      if (isRead && !this.isClosed) this.round();
    });
  }

  private async takeOne(): Promise<void> {
    const { storage, clock, onTaken, onFailed } = this.parts;
    try {
      const [before, sentAt] = [clock.now(), clock.monotonic()];
      const stock = (await storage.takeStock?.()) ?? null;
      const now = stock?.now ?? (await storage.now());
      const offsetMs = now - (before + (clock.monotonic() - sentAt) / 2);
      const jobs = this.parts.jobs ? await this.jobs() : [];
      const overdue = await this.overdue(jobs);
      if (!this.isClosed) onTaken({ takenAt: before, offsetMs, stock, jobs, overdue });
    } catch {
      if (!this.isClosed) onFailed();
    }
  }

  /** Asks only where a job says `lateAfter`. */
  private async overdue(jobs: Snapshot['jobs']): Promise<Snapshot['overdue']> {
    const { scheduler, storage } = this.parts;
    if (storage.overdue === undefined || jobs.every(({ job }) => (job.policies.lateAfterMs ?? null) === null))
      return new Set();
    return new Set((await scheduler.getOverdue({ limit: mostJobs })).map(keyOf));
  }

  private async jobs(): Promise<Snapshot['jobs']> {
    const { scheduler } = this.parts;
    const found = [
      ...(await scheduler.queryJobs({ source: 'code', limit: mostJobs })).items,
      ...(await scheduler.queryJobs({ source: 'api', metadata: { metrics: true }, limit: mostJobs })).items,
    ];
    let lookedUp = 0;
    const jobs: Snapshot['jobs'] = [];
    for (const job of found) {
      const isKnown =
        job.lastVerdict === 'succeeded' || job.runCount === job.errorCount || this.known(job) !== undefined;
      if (!isKnown && ++lookedUp > mostLookedUp) jobs.push({ job, lastSuccessAt: null });
      else jobs.push({ job, lastSuccessAt: await this.lastSuccessOf(job) });
    }
    this.forget(found);
    return jobs;
  }

  private known(job: Job): number | null | undefined {
    const known = this.successes.get(keyOf(job));
    return known?.successes === job.runCount - job.errorCount ? known.at : undefined;
  }

  private async lastSuccessOf(job: Job): Promise<number | null> {
    if (job.lastVerdict === 'succeeded') return this.note(job, job.lastRunAt?.getTime() ?? null);
    if (job.runCount === job.errorCount) return null;
    const known = this.known(job);
    if (known !== undefined) return known;
    const { namespace, id: jobId } = job;
    const [attempt] = (
      await this.parts.scheduler.getAttempts({ namespace, jobId, outcome: 'succeeded', limit: 1 })
    ).items;
    return this.note(job, attempt?.startedAt?.getTime() ?? null);
  }

  private note(job: Job, at: number | null): number | null {
    this.successes.set(keyOf(job), { successes: job.runCount - job.errorCount, at });
    return at;
  }

  private forget(found: readonly Job[]): void {
    const keys = new Set(found.map(keyOf));
    for (const key of this.successes.keys()) if (!keys.has(key)) this.successes.delete(key);
  }
}

/** Ids hold no NUL. */
export function keyOf({ namespace, id }: Pick<Job, 'namespace' | 'id'>): string {
  return `${namespace}\0${id}`;
}

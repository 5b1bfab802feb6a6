import { JobNotFoundError, type Job, type SchedulerService } from '../../lib/index.js';
import type { SeededRandom } from '../simulation/seeded.random.js';
import { managedJobs, type Period } from './chaos.options.js';
import type { Change } from './evidence.js';
import { pause } from './pause.js';
import type { Turn } from './turn.js';

const names = Array.from({ length: managedJobs }, (_, n) => `managed-${n}`);

/**
 * Makes, changes, pauses and deletes recurring jobs as chance has it until the period ends, and notes what was confirmed.
 */
export class Manager {
  readonly changes: Change[] = [];
  private readonly state = new Map<string, Pick<Change, 'trigger' | 'paused'>>();

  constructor(
    private readonly scheduler: SchedulerService,
    private readonly period: Period,
    private readonly random: SeededRandom,
    private readonly turn: Turn,
    /** Whether the server may lose what it has confirmed, a job with it. */
    private readonly forgets: boolean,
  ) {}

  async manage(): Promise<void> {
    await Promise.all(names.map((id) => this.change(id, 'create', () => this.create(id))));
    while (Date.now() < this.period.endAt - 1_000) {
      await pause(this.random.between(100, 700));
      await this.turn.take(() => this.changeOne(this.random.pick(names)));
    }
  }

  /** Once no fault can take it back. */
  async releaseAll(): Promise<void> {
    await Promise.all(names.map((id) => this.change(id, 'resume', () => this.release(id))));
  }

  private async changeOne(id: string): Promise<void> {
    const { trigger, paused } = this.state.get(id)!;
    const draw = this.random.next();
    if (trigger === null) return this.change(id, 'create', () => this.create(id));
    if (paused) return this.change(id, 'resume', () => this.release(id));
    if (draw < 0.45) return this.change(id, 'updateJob', () => this.retime(id));
    if (draw < 0.65)
      return this.change(id, 'pauseJob', async () => ({
        job: await this.scheduler.pauseJob(id),
        paused: true,
      }));
    if (draw < 0.85) return this.change(id, 'pause of its handler', () => this.pauseHandler(id));
    return this.change(id, 'deleteJob', async () => {
      // Said again after an answer that was lost, it may be gone already.
      if ((await this.scheduler.getJob(id)) !== null) await this.scheduler.deleteJob(id);
      return { job: null, paused: false };
    });
  }

  private async create(id: string): Promise<{ job: Job; paused: boolean }> {
    const job = await this.scheduler.createIntervalJob({
      id,
      handler: id,
      every: 1_000,
      endAt: this.period.endAt,
      overlap: 'allow',
      maxLost: 1_000,
      onConflict: 'ignore',
      allowUnknownHandler: true,
    });
    return { job, paused: false };
  }

  private async retime(id: string): Promise<{ job: Job; paused: boolean }> {
    const every = this.random.pick([1_000, 1_500, 2_000]);
    const job = await this.scheduler.updateJob(id, {
      trigger: { type: 'interval', every, endAt: this.period.endAt },
    });
    return { job, paused: false };
  }

  private async pauseHandler(id: string): Promise<{ job: Job | null; paused: boolean }> {
    await this.scheduler.pause({ handler: id });
    return { job: await this.scheduler.getJob(id), paused: true };
  }

  private async release(id: string): Promise<{ job: Job | null; paused: boolean }> {
    await this.scheduler.resume({ handler: id });
    const job = await this.scheduler.getJob(id);
    return { job: job?.paused ? await this.scheduler.resumeJob(id) : job, paused: false };
  }

  /** Until it is confirmed; what is repeated was asked for when it was first. */
  private async change(
    id: string,
    call: string,
    act: () => Promise<{ job: Job | null; paused: boolean }>,
  ): Promise<void> {
    const askedAt = Date.now();
    for (;;) {
      const askedLastAt = Date.now();
      try {
        const { job, paused } = await act().catch((error: unknown) => {
          if (this.forgets && error instanceof JobNotFoundError) return { job: null, paused: false };
          throw error;
        });
        const change = { jobId: id, call, trigger: job?.trigger ?? null, paused };
        this.state.set(id, change);
        this.changes.push({ ...change, askedAt, askedLastAt, confirmedAt: Date.now() });
        return;
      } catch {
        await pause(100);
      }
    }
  }
}

import { expect, test, vi } from 'vitest';
import { SeededRandom } from '../simulation/seeded.random.js';
import { start, stopTime, subjects, type Subject } from './subjects.js';

type Job = InstanceType<Subject['cron']['CronJob']>;

const texts = ['* * * * * *', '*/2 * * * * *', '10,40 * * * * *', '0 * * * * *', '0 0 0 1 * *'];
const behaviours = ['return', 'return', 'throw', 'wait', 'reject', 'stop', 'restart', 'fire', 'complete'];
const actions = [...Array<string>(7).fill('advance'), 'start', 'stop', 'setTime', 'fire', 'add', 'jump'];

/** A job is used at random; what can be seen of it is noted. The same seed does the same to both kinds of job. */
class Use {
  readonly seen: unknown[] = [];
  private readonly random: SeededRandom;
  private readonly waits: boolean;
  private job: Job | undefined;

  constructor(
    private readonly cron: Subject['cron'],
    seed: number,
  ) {
    this.random = new SeededRandom(seed);
    this.waits = this.random.chance(0.4);
  }

  async all(): Promise<unknown[]> {
    this.attempt('make', () => this.make());
    for (let i = 0; i < 40 && this.job; i++) {
      await this.act(this.random.pick(actions), this.job);
      const { isActive, isCallbackRunning, runOnce, name, threshold } = this.job;
      this.seen.push([isActive, isCallbackRunning, runOnce, name, threshold, this.job.lastDate()]);
    }
    this.attempt('stop', () => this.job?.stop());
    await vi.advanceTimersByTimeAsync(100_000);
    return [...this.seen, vi.getTimerCount()];
  }

  private make(): void {
    const { random } = this;
    this.job = this.cron.CronJob.from({
      cronTime: this.source(),
      onTick: this.callback('first'),
      onComplete: random.chance(0.5) ? () => this.completed() : null,
      start: random.chance(0.6),
      runOnInit: random.chance(0.2),
      waitForCompletion: this.waits,
      threshold: random.pick([undefined, null, 0, 100, -300]),
      name: random.pick([undefined, 'name', '']),
      errorHandler: random.chance(0.4) ? (error) => this.note('handled', String(error)) : null,
      ...this.zone(),
    });
  }

  private async act(action: string, job: Job): Promise<void> {
    const { random } = this;
    if (action === 'advance') {
      await vi.advanceTimersByTimeAsync(random.pick([1, 100, 877, 1_000, 1_500, 3_000, 10_000, 61_000]));
    } else if (action === 'jump') {
      vi.setSystemTime(Date.now() + random.pick([-3_600_000, -5_000, -1_000, 300, 4_000]));
    } else if (action === 'add') {
      job.addCallback(this.callback('more'));
    } else if (action === 'setTime') {
      const { timeZone, utcOffset } = this.zone();
      this.attempt(action, () => job.setTime(new this.cron.CronTime(this.source(), timeZone, utcOffset)));
    } else {
      this.attempt(action, () => this.order(action, job));
    }
  }

  private order(action: string, job: Job): unknown {
    return action === 'start' ? job.start() : action === 'stop' ? job.stop() : job.fireOnTick();
  }

  private attempt(action: string, attempted: () => unknown): void {
    try {
      this.note(action, attempted() instanceof Promise ? 'promise' : '');
    } catch (error) {
      this.note(action, (error as Error).message);
    }
  }

  private callback(name: string): (this: unknown, onComplete?: () => void) => unknown {
    const behaviour = this.random.pick(behaviours);
    const ms = this.random.between(0, 30) * 100 + 7;
    return (onComplete) => {
      this.note(name, behaviour);
      if (behaviour === 'throw') throw new Error(name);
      if (behaviour === 'stop' || behaviour === 'restart') void this.job?.stop();
      if (behaviour === 'restart') void this.job?.start();
      if (behaviour === 'complete') onComplete?.();
      if (behaviour !== 'wait' && behaviour !== 'reject') return undefined;
      return new Promise<void>((resolve, reject) => {
        setTimeout(() => (behaviour === 'wait' ? resolve() : reject(new Error(name))), ms);
      });
    };
  }

  /** With waitForCompletion the original looks for the end every 100 ms only: a difference that the guide names. */
  private completed(): void {
    if (!this.waits) this.note('completed', '');
  }

  private source(): string | Date {
    const { random } = this;
    return random.chance(0.15) ? new Date(Date.now() + random.between(-1_000, 20_000)) : random.pick(texts);
  }

  private zone(): { timeZone?: string | null; utcOffset?: number | null } {
    const { random } = this;
    return random.chance(0.5)
      ? { timeZone: random.pick(['UTC', 'Asia/Seoul', null]) }
      : { utcOffset: random.pick([0, 60, -330, null]) };
  }

  private note(what: string, how: string): void {
    this.seen.push([Date.now() - start, what, how]);
  }
}

async function seenOf({ cron }: Subject, seed: number): Promise<unknown[]> {
  stopTime(start + 123);
  const written: unknown[] = [];
  for (const level of ['warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((...line: unknown[]) => void written.push(line.map(String)));
  }
  try {
    return [await new Use(cron, seed).all(), written];
  } finally {
    vi.restoreAllMocks();
    vi.useRealTimers();
  }
}

test('whatever is done to it, a CronJob does what that of the cron package does', async () => {
  const [original, own] = subjects as [Subject, Subject];
  for (let seed = 1; seed <= 150; seed++) {
    const expected = await seenOf(original, seed);
    expect(await seenOf(own, seed), `seed ${seed}`).toEqual(expected);
  }
});

import type { RunContext } from '../../lib/engine/run.context.js';
import type { Attempt } from '../../lib/index.js';
import type { SeededRandom } from './seeded.random.js';

/** By how much a process may know the storage's time too early. */
const toleranceMs = 4_000;

interface Step {
  runId: string;
  name: string;
  /** Which call of the handler. */
  call: number;
  token: string;
}

/** The process of a handler. */
interface Around {
  wait: (ms: number) => Promise<void>;
  /** False: it goes on, as all trouble is over. */
  crash: () => boolean;
  /** The handler holds no place while this goes on. */
  resting: (work: () => Promise<void>) => Promise<void>;
}

/** What handlers with durable steps have done, as the world saw it. */
export class StepHistory {
  private readonly begun: Step[] = [];
  private readonly resolved: Step[] = [];
  private readonly asked = new Map<string, number>();
  private readonly early: string[] = [];
  private readonly ended = new Set<string>();
  private calls = 0;

  constructor(
    private readonly random: SeededRandom,
    private readonly now: () => number,
  ) {}

  get count(): { begun: number; resolved: number; slept: number } {
    return { begun: this.begun.length, resolved: this.resolved.length, slept: this.asked.size };
  }

  /** The same steps in each attempt of a run: some after each other, some beside each other, some after a sleep. */
  async play(context: RunContext, around: Around): Promise<void> {
    const { runId } = context;
    const call = this.calls++;
    const number = Number(runId);
    const step = (name: string): Promise<void> => this.step(context, call, name, around);
    await step('first');
    if (number % 12 === 0) await this.sleep(context, 5_000 + (number % 4) * 1_000, around);
    await step('second');
    if (number % 3 === 0) await Promise.all([step('left'), step('right')]);
    await step('last');
    this.ended.add(runId);
  }

  violations(attempts: readonly Attempt[]): string[] {
    const found = [...this.early];
    const key = ({ runId, name }: Step): string => `${runId} ${name}`;
    const first = new Map<string, Step>();
    for (const step of this.resolved) {
      const before = first.get(key(step));
      if (before === undefined) first.set(key(step), step);
      else if (before.token !== step.token)
        found.push(`run ${step.runId}: the step ${step.name} gave ${before.token}, and then ${step.token}`);
    }
    for (const step of this.begun) {
      const before = first.get(key(step));
      if (before !== undefined && before.call < step.call)
        found.push(`run ${step.runId}: the step ${step.name} has ended, and was run again`);
    }
    for (const { runId, outcome, final } of attempts)
      if (final && outcome === 'succeeded' && !this.ended.has(runId))
        found.push(`run ${runId}: succeeded, and its steps have not come to their end`);
    return found;
  }

  private async step({ runId, step }: RunContext, call: number, name: string, around: Around): Promise<void> {
    const { random } = this;
    const token = await step(name, async () => {
      const given = `token ${this.begun.length}`;
      this.begun.push({ runId, name, call, token: given });
      await around.wait(random.chance(0.02) ? random.between(1_000, 6_000) : random.between(0, 100));
      if (random.chance(0.03) && around.crash()) {
        await new Promise(() => undefined);
      }
      if (random.chance(0.1)) throw new Error('The step fails.');
      return given;
    });
    this.resolved.push({ runId, name, call, token });
  }

  private async sleep({ runId, sleep }: RunContext, ms: number, around: Around): Promise<void> {
    const asked = this.asked.get(runId) ?? this.now();
    this.asked.set(runId, asked);
    await around.resting(() => sleep(ms));
    const sleptMs = this.now() - asked;
    if (sleptMs < ms - toleranceMs) this.early.push(`run ${runId}: slept ${sleptMs} ms of ${ms}`);
  }
}

import { afterEach, describe, expect, test } from 'vitest';
import { UnrecoverableError } from '../../lib/model/errors.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { flaky } from '../../lib/testing/flaky.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { everyMs, EngineRig } from '../support/engine.js';

const second = 1_000;
const oneOffs = 60;
const recurringSeconds = 40;
const seed = Number(process.env.CHRONIS_TEST_SEED ?? Math.floor(Math.random() * 1e9));

/** Two workers that share a storage, each over a bad connection of its own. */
class FlakyPair {
  readonly clock = new ManualClock();
  readonly storage = new MemoryStorage({ clock: this.clock });
  readonly executed = new Map<string, number>();
  private faults = false;
  readonly rigs = [0, 1].map((nth) => {
    const may = (): boolean => this.faults;
    const bad = flaky(this.storage, { seed: seed + nth, before: 0.1, during: 0.1, after: 0.1, may });
    const options = { name: `worker ${nth}`, concurrency: 5, leaseMs: 10 * second, pollMs: second };
    return new EngineRig({ clock: this.clock, storage: bad, options });
  });

  async run(): Promise<void> {
    const work = (context: RunContext): void => {
      const key = `${context.job.id} ${context.nominalAt.toISOString()}`;
      this.executed.set(key, (this.executed.get(key) ?? 0) + 1);
      if (context.payload === 'fails once' && context.attempt === 1) throw new Error('not yet');
      if (context.payload === 'fails') throw new UnrecoverableError('never');
    };
    // Straight into the storage: what was created is certain, what becomes of it is the question.
    const payloads = [null, 'fails once', 'fails'];
    const now = this.clock.now();
    const planner = new EngineRig({ clock: this.clock, storage: this.storage });
    await planner.add(
      ...Array.from({ length: oneOffs }, (_, nth) => ({
        id: `one-off ${nth}`,
        nextAt: now + (nth % 20) * second,
        payload: payloads[nth % 3],
        policies: { maxRetries: 3, backoff: { type: 'fixed' as const, delayMs: second } },
      })),
      everyMs(now, second, {
        id: 'recurring',
        trigger: {
          type: 'interval',
          every: second,
          anchor: new Date(now).toISOString(),
          maxRuns: recurringSeconds,
        },
        policies: { overlap: 'allow', misfire: 'all' },
      }),
    );
    await Promise.all(this.rigs.map((rig) => rig.handle('work', work).engine.start()));
    this.faults = true;
    await this.pass(90);
    this.faults = false;
    for (let round = 0; round < 120 && !(await this.isDone()); round++) await this.pass(1);
  }

  async finals() {
    const { items } = await this.storage.queryAttempts({ finalOnly: true }, { limit: 1_000 });
    return items;
  }

  private async isDone(): Promise<boolean> {
    const { items } = await this.storage.queryRuns({ state: ['waiting', 'running', 'blocked'] }, {});
    return (
      items.length === 0 &&
      (await this.storage.getJob({ namespace: 'default', id: 'recurring' }))?.state === 'completed'
    );
  }

  private async pass(seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds; passed++) await this.clock.advanceBy(second);
  }
}

describe(`two engines over bad connections, seed ${seed},`, () => {
  const pair = new FlakyPair();

  afterEach(async () => {
    for (const { engine } of pair.rigs) if (engine.running) await engine.stop();
  });

  test('give every occurrence one verdict, by at least one execution, and nothing else', async () => {
    await pair.run();
    const finals = await pair.finals();
    const occurrence = (jobId: string, at: Date): string => `${jobId} ${at.toISOString()}`;
    const verdicts = new Map(finals.map((row) => [occurrence(row.jobId, row.nominalAt), row.outcome]));
    expect(finals).toHaveLength(oneOffs + recurringSeconds);
    expect(verdicts.size).toBe(finals.length);
    expect(new Set(pair.executed.keys())).toEqual(new Set(verdicts.keys()));
    const { items: failed } = await pair.storage.queryRuns({ state: 'failed' }, {});
    expect(failed.map((run) => run.jobId).sort()).toEqual(
      Array.from({ length: oneOffs / 3 }, (_, nth) => `one-off ${3 * nth + 2}`).sort(),
    );
    for (const [key, outcome] of verdicts) {
      expect(outcome, key).toBe(
        failed.some((run) => key.startsWith(`${run.jobId} `)) ? 'failed' : 'succeeded',
      );
    }
    expect(pair.rigs.some((rig) => rig.told.includes('storage.failing'))).toBe(true);
  });
});

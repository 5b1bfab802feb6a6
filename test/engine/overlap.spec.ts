import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunContext } from '../../lib/engine/run.context.js';
import type { OverlapPolicy } from '../../lib/model/policies.js';
import { EngineRig, everyMs } from '../support/engine.js';

describe('runs that overlap', () => {
  let rig: EngineRig;
  let begun: number[];
  let atOnce: number;
  let mostAtOnce: number;

  beforeEach(() => {
    rig = new EngineRig();
    begun = [];
    atOnce = mostAtOnce = 0;
  });

  afterEach(() => rig.end());

  /** A job every second whose runs take a while unless they are aborted; the instants that began within the time. */
  async function play(
    overlap: OverlapPolicy,
    takesMs: number,
    passMs: number,
    endAfterMs = Infinity,
    paceMs = 1_000,
  ) {
    const start = rig.clock.now();
    rig.handle('work', async ({ nominalAt, signal }: RunContext) => {
      begun.push(nominalAt.getTime() - start);
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      await new Promise<void>((resolve) => {
        const cancel = rig.clock.setTimer(takesMs, resolve);
        signal.addEventListener('abort', () => (cancel(), resolve()));
      }).finally(() => atOnce--);
      signal.throwIfAborted();
    });
    await rig.engine.start();
    const job = everyMs(start, paceMs, { id: 'job', policies: { overlap } });
    if (endAfterMs !== Infinity) {
      Object.assign(job.trigger!, { endAt: new Date(start + endAfterMs).toISOString() });
    }
    await rig.add(job);
    await rig.clock.advanceBy(passMs);
    return begun;
  }

  const gaps = async () =>
    (await rig.storage.queryGaps({}, {})).items.map((gap) => [gap.verdict, gap.count]).toReversed();
  const outcomes = async () =>
    (await rig.storage.queryAttempts({}, {})).items.map((row) => row.outcome).toReversed();

  test('skip: a run that goes on and on is told, after an hour and again every hour', async () => {
    const told: { at: number; runId: string; runningMs: number }[] = [];
    const start = rig.clock.now();
    rig.events.on('job.held-up', ({ id, runId, runningMs, workerId }) => {
      expect([id, workerId]).toEqual(['job', rig.engine.workerId]);
      told.push({ at: rig.clock.now() - start, runId, runningMs });
    });
    await play('skip', 3.5 * 3_600_000, 20_000, Infinity, 10_000);
    const runId = (await rig.storage.queryRuns({}, {})).items[0]!.id;
    await rig.clock.advanceBy(3.4 * 3_600_000);
    expect(told).toHaveLength(3);
    for (const [i, each] of told.entries()) {
      expect(each.runId).toBe(runId);
      expect(Math.round(each.runningMs / 60_000)).toBe((i + 1) * 60);
    }
  });

  test('skip: a run that is open for long is told as well', async () => {
    const told: unknown[] = [];
    rig.events.on('job.held-up', (event) => told.push(event));
    rig.handle('opens', (context: RunContext) => context.open());
    await rig.engine.start();
    await rig.add(
      everyMs(rig.clock.now(), 60_000, { id: 'open', handler: 'opens', policies: { overlap: 'skip' } }),
    );
    await rig.clock.advanceBy(65 * 60_000);
    expect(told).toMatchObject([{ id: 'open', workerId: null }]);
  });

  test('skip: runs that end in time are no matter, however often the job is skipped', async () => {
    const told: unknown[] = [];
    rig.events.on('job.held-up', (event) => told.push(event));
    await play('skip', 100_000, 2.2 * 3_600_000, Infinity, 10_000);
    expect(told).toEqual([]);
    expect((await rig.storage.queryGaps({}, {})).items.length).toBeGreaterThan(0);
  });

  test('queue: one waits and begins at the end of the run before, further ones are skipped on record', async () => {
    expect(await play('queue', 2_500, 10_000, 6_000)).toEqual([1_000, 2_000, 4_000, 6_000]);
    expect(mostAtOnce).toBe(1);
    expect(await gaps()).toEqual([
      ['skipped', 1],
      ['skipped', 1],
    ]);
    await rig.clock.advanceBy(5_000);
    expect(await outcomes()).toEqual(Array(4).fill('succeeded'));
  });

  test('queue: what waits begins at once, without a poll', async () => {
    const starts: number[] = [];
    const start = rig.clock.now();
    rig.events.on('run.started', () => starts.push(rig.clock.now() - start));
    await play('queue', 1_300, 4_000, 2_000);
    expect(starts).toEqual([1_000, 2_300]);
  });

  test('cancel-running: each instant aborts the run before it, and begins when that has ended', async () => {
    expect(await play('cancel-running', 60_000, 4_500, 3_000)).toEqual([1_000, 2_000, 3_000]);
    expect(mostAtOnce).toBe(1);
    expect(await gaps()).toEqual([]);
    expect(await outcomes()).toEqual(['cancelled', 'cancelled']);
    await rig.clock.advanceBy(60_000);
    expect(await outcomes()).toEqual(['cancelled', 'cancelled', 'succeeded']);
  });

  test('cancel-running: a handler that ignores its signal delays the next run by the grace time only', async () => {
    const starts: number[] = [];
    const start = rig.clock.now();
    rig = new EngineRig({ options: { abortGraceMs: 500 }, clock: rig.clock });
    rig.handle('work', () => {
      starts.push(rig.clock.now() - start);
      return new Promise<void>((resolve) => rig.clock.setTimer(10_000, resolve));
    });
    await rig.engine.start();
    await rig.add(everyMs(start, 2_000, { policies: { overlap: 'cancel-running' } }));
    await rig.clock.advanceBy(4_600);
    expect(starts).toEqual([2_000, 4_500]);
    await rig.stop(30_000);
    await rig.clock.advanceBy(20_000);
  });

  test('instants missed in a downtime run one after the other, and then the policy counts again', async () => {
    const start = rig.clock.now();
    const began: [number, number][] = [];
    rig.handle('work', async ({ nominalAt }: RunContext) => {
      began.push([(nominalAt.getTime() - start) / 60_000, (rig.clock.now() - start) / 60_000]);
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      await new Promise<void>((resolve) => rig.clock.setTimer(30_000, resolve));
      atOnce--;
    });
    await rig.add(everyMs(start, 60_000, { policies: { misfire: 'all', misfireThresholdMs: 1_000 } }));
    await rig.clock.advanceBy(5 * 60_000 + 30_000);
    await rig.engine.start();
    await rig.clock.advanceBy(4 * 60_000);
    expect(mostAtOnce).toBe(1);
    expect(began.map(([nominal]) => nominal)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(began.at(-1)).toEqual([8, 9]);
    expect(await gaps(), 'The one that was due when the last missed one had just begun.').toEqual([
      ['skipped', 1],
    ]);
  });

  test('missed instants that may overlap become runs as fast as there is room, not faster', async () => {
    rig = new EngineRig({ options: { concurrency: 2 } });
    const start = rig.clock.now();
    let stored = 0;
    rig.handle('work', async () => {
      stored = Math.max(stored, (await rig.storage.queryRuns({}, {})).items.length);
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      await new Promise<void>((resolve) => rig.clock.setTimer(5_000, resolve));
      atOnce--;
    });
    await rig.add(everyMs(start, 60_000, { policies: { misfire: 'all', overlap: 'allow' } }));
    await rig.clock.advanceBy(20 * 60_000);
    await rig.engine.start();
    await rig.clock.advanceBy(59_000);
    expect([mostAtOnce, stored]).toEqual([2, 2]);
    expect((await outcomes()).length).toBe(20);
  });

  test('a run that waits for its retry goes on: the next instant waits for its verdict', async () => {
    const start = rig.clock.now();
    rig.handle('work', ({ nominalAt, attempt }: RunContext) => {
      begun.push(nominalAt.getTime() - start);
      if (nominalAt.getTime() - start === 1_000 && attempt === 1) throw new Error('not yet');
    });
    await rig.engine.start();
    const policies = { overlap: 'queue', maxRetries: 1, backoff: { type: 'fixed', delayMs: 2_500 } } as const;
    await rig.add(everyMs(start, 1_000, { policies }));
    await rig.clock.advanceBy(3_600);
    expect(begun).toEqual([1_000, 1_000, 2_000]);
    expect(await gaps()).toEqual([['skipped', 1]]);
  });
});

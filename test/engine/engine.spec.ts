import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SchedulerRunningError, SchedulerStoppedError } from '../../lib/model/errors.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import { EngineRig, everyMs } from '../support/engine.js';

describe('an engine', () => {
  let rig: EngineRig;

  beforeEach(() => {
    rig = new EngineRig();
  });

  afterEach(() => rig.end());

  const liveWorkers = async () =>
    (await rig.storage.queryWorkers()).filter((worker) => worker.leaseUntil.getTime() > rig.clock.now());
  const ledger = async () => (await rig.storage.queryAttempts({}, {})).items;

  test('runs an interval at each of its instants, with its nominal times', async () => {
    const ran: number[] = [];
    const start = rig.clock.now();
    rig.handle('work', ({ nominalAt }) => ran.push(nominalAt.getTime() - start));
    await rig.engine.start();
    await rig.add(everyMs(start, 1_000));
    await rig.clock.advanceBy(5_000);
    expect(ran).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
    expect((await ledger()).map((row) => [row.outcome, row.final])).toEqual(
      Array(5).fill(['succeeded', true]),
    );
  });

  test('sleeps to the exact instant, not to the next poll', async () => {
    const starts: number[] = [];
    const start = rig.clock.now();
    rig.handle('work', () => starts.push(rig.clock.now() - start));
    await rig.engine.start();
    await rig.add({ nextAt: start + 777 });
    await rig.clock.advanceBy(2_000);
    expect(starts).toEqual([777]);
  });

  test('finds by polling what it was not told of', async () => {
    let ran = 0;
    rig.handle('work', () => ran++);
    await rig.engine.start();
    await rig.settle();
    const untold = new EngineRig({ clock: rig.clock, storage: rig.storage });
    await untold.add({});
    await rig.clock.advanceBy(6_000);
    expect(ran).toBe(1);
  });

  test('never runs more at a time than its concurrency', async () => {
    let atOnce = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    rig = new EngineRig({ options: { concurrency: 3 } });
    rig.handle('work', async () => {
      most = Math.max(most, ++atOnce);
      await new Promise<void>((resolve) => ends.push(resolve));
      atOnce--;
    });
    await rig.engine.start();
    await rig.add(...Array.from({ length: 10 }, () => ({})));
    for (let i = 0; i < 10; i++) {
      await rig.settle();
      ends.shift()!();
    }
    await rig.settle();
    expect(most).toBe(3);
    expect(await ledger()).toHaveLength(10);
  });

  test('a full worker still fires, so that each instant is on record in time', async () => {
    rig = new EngineRig({ options: { concurrency: 1 } });
    let end = (): void => undefined;
    rig.handle('block', () => new Promise<void>((resolve) => (end = resolve)));
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await rig.add({ handler: 'block' }, everyMs(rig.clock.now(), 1_000, { id: 'paced' }));
    await rig.clock.advanceBy(3_500);
    const gaps = (await rig.storage.queryGaps({}, {})).items;
    expect(gaps.map((gap) => [gap.verdict, gap.count])).toEqual([
      ['skipped', 1],
      ['skipped', 1],
    ]);
    end();
    await rig.settle();
    expect((await ledger()).filter((row) => row.jobId === 'paced')).toHaveLength(1);
  });

  test('retries with backoff until an attempt succeeds', async () => {
    const attempts: number[] = [];
    rig.handle('work', ({ attempt }) => {
      attempts.push(attempt);
      if (attempt < 3) throw new Error('not yet');
    });
    await rig.engine.start();
    await rig.add({ policies: { maxRetries: 5, backoff: { type: 'fixed', delayMs: 2_000 } } });
    await rig.clock.advanceBy(10_000);
    expect(attempts).toEqual([1, 2, 3]);
    expect((await ledger()).map((row) => [row.outcome, row.final])).toEqual([
      ['succeeded', true],
      ['failed', false],
      ['failed', false],
    ]);
  });

  test('a handler that throws, rejects, or rejects late after its end does not disturb the loop', async () => {
    rig.handle('throws', () => {
      throw new Error('thrown');
    });
    rig.handle('rejects', async () => Promise.reject(new Error('rejected')));
    rig.handle('late', async ({ signal }: RunContext) => {
      await new Promise((resolve) => rig.clock.setTimer(20_000, () => resolve(null)));
      throw new Error(`late, ${signal.aborted}`);
    });
    let ran = 0;
    rig.handle('work', () => ran++);
    await rig.engine.start();
    await rig.add(
      { handler: 'throws' },
      { handler: 'rejects' },
      { handler: 'late', policies: { timeoutMs: 100 } },
    );
    await rig.clock.advanceBy(30_000);
    await rig.add({});
    await rig.settle();
    expect(ran).toBe(1);
    const outcomes = (await ledger()).map((row) => row.outcome).toSorted();
    expect(outcomes).toEqual(['failed', 'failed', 'succeeded', 'timed_out']);
  });

  test('a timeout fires the signal, and the verdict waits for the grace time at most', async () => {
    let reason: unknown;
    rig.handle('work', ({ signal }: RunContext) => {
      signal.addEventListener('abort', () => (reason = signal.reason));
      return new Promise(() => undefined);
    });
    await rig.engine.start();
    await rig.add({ policies: { timeoutMs: 1_000 } });
    await rig.clock.advanceBy(1_000);
    expect(reason).toMatchObject({ code: 'CHRONIS_RUN_ABORTED', abortCause: 'timeout' });
    expect(await ledger()).toEqual([]);
    await rig.clock.advanceBy(5_000);
    expect((await ledger()).map((row) => row.outcome)).toEqual(['timed_out']);
  });

  test('a cancel from elsewhere aborts the handler at the next beat', async () => {
    rig.handle('work', ({ signal }: RunContext) => {
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    });
    await rig.engine.start();
    await rig.add({ id: 'long' });
    await rig.settle();
    expect(await rig.storage.cancelJob({ namespace: 'default', id: 'long' })).toBe(1);
    await rig.clock.advanceBy(10_000);
    expect((await ledger()).map((row) => [row.outcome, row.final])).toEqual([['cancelled', true]]);
  });

  test('stop waits for handlers and claims nothing new', async () => {
    let end = (): void => undefined;
    rig.handle('work', () => new Promise<void>((resolve) => (end = resolve)));
    await rig.engine.start();
    await rig.add({ id: 'first' });
    await rig.settle();
    const stopped = rig.engine.stop();
    await rig.add({ id: 'second' });
    await rig.clock.advanceBy(10_000);
    expect(rig.told).not.toContain('worker.stopped');
    end();
    await rig.settle();
    await stopped;
    expect((await ledger()).map((row) => [row.jobId, row.outcome])).toEqual([['first', 'succeeded']]);
    expect(await liveWorkers()).toEqual([]);
  });

  test('stop hands back what does not finish, without burning the attempt', async () => {
    rig.handle('work', () => new Promise(() => undefined));
    await rig.engine.start();
    await rig.add({ id: 'stubborn' });
    await rig.settle();
    const stopped = rig.engine.stop();
    await rig.clock.advanceBy(25_000);
    await stopped;
    expect((await ledger()).map((row) => [row.outcome, row.final])).toEqual([['handed_back', false]]);
    const [run] = (await rig.storage.queryRuns({}, {})).items;
    expect(run).toMatchObject({ jobId: 'stubborn', state: 'waiting', attempt: 0, worker: null });
  });

  test('keeps its lease through a long drain', async () => {
    rig = new EngineRig({ options: { leaseMs: 3_000 } });
    rig.handle('work', () => new Promise(() => undefined));
    await rig.engine.start();
    await rig.add({});
    await rig.settle();
    const stopped = rig.engine.stop();
    await rig.clock.advanceBy(19_000);
    expect((await rig.storage.releaseLost()).runs).toEqual([]);
    await rig.clock.advanceBy(6_000);
    await stopped;
  });

  test('start and stop refuse what does not fit the state', async () => {
    expect(() => rig.engine.stop()).toThrow(SchedulerStoppedError);
    await rig.engine.start();
    expect(() => rig.engine.start()).toThrow(SchedulerRunningError);
    await rig.stop();
    expect(() => rig.engine.stop()).toThrow(SchedulerStoppedError);
    await rig.engine.start();
    expect(rig.engine.running).toBe(true);
  });

  test('an enrolment that fails leaves no worker behind', async () => {
    const enroll = (): Promise<never> => Promise.reject(new Error('sync failed'));
    await expect(
      rig.engine.start({ generation: null, enroll, follow: () => undefined, end: async () => undefined }),
    ).rejects.toThrow('sync failed');
    expect(await liveWorkers()).toEqual([]);
    expect(rig.engine.running).toBe(false);
  });

  test('handlers do not see the async context of whoever started or woke the engine', async () => {
    const als = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    rig.handle('work', () => seen.push(als.getStore()));
    await als.run('request 1', () => rig.engine.start());
    await als.run('request 2', () => rig.add({}));
    await rig.settle();
    expect(seen).toEqual([undefined]);
  });

  test('claims only handlers that it has, and a handler registered later at once', async () => {
    await rig.engine.start();
    await rig.add({});
    await rig.settle();
    expect(rig.told).not.toContain('run.started');
    rig.handle('work', () => undefined);
    await rig.settle();
    expect((await ledger()).map((row) => row.outcome)).toEqual(['succeeded']);
  });

  test('a job whose next time cannot be computed is set aside, the others go on', async () => {
    let ran = 0;
    rig.handle('work', () => ran++);
    await rig.engine.start();
    const start = rig.clock.now();
    await rig.add(
      { id: 'broken', trigger: { type: 'cron', expression: 'not a cron' }, nextAt: start + 1_000 },
      everyMs(start, 1_000, { id: 'sound' }),
    );
    await rig.clock.advanceBy(3_000);
    expect(ran).toBe(3);
    expect(rig.told).toContain('schedule.failed');
    const broken = await rig.storage.getJob({ namespace: 'default', id: 'broken' });
    expect(broken).toMatchObject({ state: 'paused', paused: { by: 'chronis' } });
    expect(broken?.paused?.reason).toContain('The next time cannot be computed');
  });
});

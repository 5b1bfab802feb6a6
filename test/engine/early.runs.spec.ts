import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EarlyRuns } from '../../lib/engine/early.runs.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import { StorageTime } from '../../lib/engine/storage.time.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { ClaimedRun } from '../../lib/model/run.js';
import type { NewJob, StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, everyMs, newJob } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';

const minute = 60_000;
const ref = { namespace: 'default', id: 'job' };
/** How long each answer of the storage is on its way, so that firings and claims are sent before their instants. */
const answersAfterMs = 10;

describe('what was fired or claimed before its instant', () => {
  let rig: EngineRig;
  let storage: MemoryStorage;
  let calls: string[];
  let begun: number[];

  beforeEach(async () => {
    const clock = new ManualClock();
    storage = new MemoryStorage({ clock });
    const watched = new FaultyStorage(slow(storage, clock));
    calls = watched.calls;
    begun = [];
    rig = new EngineRig({ clock, storage: watched.storage, options: { pollMs: minute } });
    rig.handle('work', () => void begun.push(clock.now()));
    rig.handle('long', ({ signal }: RunContext) => {
      begun.push(clock.now());
      return new Promise<void>((end) => signal.addEventListener('abort', () => end()));
    });
    const starting = rig.engine.start();
    await clock.advanceBy(1_000);
    await starting;
  });

  afterEach(() => rig.end());

  function slow(fast: StorageAdapter, clock: ManualClock): StorageAdapter {
    return new Proxy(fast, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          const answer: unknown = await Reflect.apply(value, target, args);
          if (key !== 'renew') await new Promise<void>((done) => void clock.setTimer(answersAfterMs, done));
          return answer;
        };
      },
    });
  }

  /** Adds a job that is due in a second, and stops three milliseconds before that. */
  async function justBefore(job: Partial<NewJob> = {}): Promise<number> {
    const at = rig.clock.now() + 1_000;
    const adding = rig.add({ ...everyMs(at, minute), id: 'job', nextAt: at, ...job });
    await rig.clock.advanceBy(997);
    await adding;
    return at;
  }

  const oneOff = (): Partial<NewJob> => {
    const at = rig.clock.now() + 1_000;
    return { trigger: { type: 'at', at: new Date(at).toISOString() } };
  };
  const runs = async () => (await storage.queryRuns({}, {})).items;
  const attempts = async () => (await storage.queryAttempts({}, {})).items;

  // A lower bound of the storage's clock is late by the way of an answer.
  test.each([
    ['a schedule', () => ({})],
    ['a one-off', oneOff],
  ])('begins at its instant, for %s', async (_, job) => {
    const at = await justBefore(job());
    expect(await runs()).toMatchObject([{ state: 'running', startedAt: new Date(at) }]);
    expect(begun).toEqual([]);
    calls.length = 0;
    await rig.clock.advanceBy(answersAfterMs + 4);
    // Rounded up by the timer: since the answer the clocks may have come apart by some thousandths of a millisecond.
    expect(begun).toEqual([at + answersAfterMs + 1]);
    expect(calls.filter((call) => call === 'fire' || call === 'claim')).toEqual([]);
    await rig.clock.advanceBy(1_000);
    expect(await attempts()).toMatchObject([{ outcome: 'succeeded', attempt: 1 }]);
  });

  describe.each([
    ['while its answer is on its way', false],
    ['while it waits', true],
  ])('%s', (_, isThere) => {
    test.each([
      ['a pause', () => storage.pauseJob(ref, { reason: null, by: null }), 'paused'],
      [
        'a pause of all',
        () => storage.pauseScope({ kind: 'all', name: '' }, { reason: null, by: null }),
        'waiting',
      ],
      ['a deletion', () => storage.deleteJob(ref), null],
    ])('is given back for %s', async (_, change, state) => {
      await justBefore();
      if (isThere) await rig.clock.advanceBy(answersAfterMs);
      await change();
      rig.engine.wake();
      await rig.clock.advanceBy(1_000);
      expect(begun).toEqual([]);
      const left = (await runs()).map((run) => run.state);
      expect(left).toEqual(state === null ? [] : [state]);
      expect(await attempts()).toMatchObject(
        state === null ? [{ outcome: 'cancelled', startedAt: null }] : [],
      );
    });
  });

  test('ends as cancelled when somebody asks for it', async () => {
    await justBefore();
    await rig.clock.advanceBy(answersAfterMs);
    expect(begun).toEqual([]);
    await storage.cancelJob(ref);
    rig.engine.wake({ kind: 'cancel' });
    await rig.clock.advanceBy(1_000);
    expect(begun).toEqual([]);
    expect(await runs()).toEqual([]);
    expect(await attempts()).toMatchObject([{ outcome: 'cancelled', startedAt: null }]);
  });

  test('ends as cancelled also where a storage tells only those at once who have something in hands', async () => {
    const renew = storage.renew.bind(storage);
    storage.renew = async (workerId, leaseMs, running, ...rest) => {
      const renewal = await renew(workerId, leaseMs, running, ...rest);
      return running === 0 ? { ...renewal, cancelled: [] } : renewal;
    };
    await justBefore();
    await rig.clock.advanceBy(answersAfterMs);
    await storage.cancelJob(ref);
    rig.engine.wake({ kind: 'cancel' });
    await rig.clock.advanceBy(1_000);
    expect(begun).toEqual([]);
    expect(await attempts()).toMatchObject([{ outcome: 'cancelled', startedAt: null }]);
  });

  test('is given back by a worker that stops, as it was', async () => {
    const at = await justBefore();
    const stopping = rig.engine.stop();
    await rig.clock.advanceBy(1_000);
    await stopping;
    expect(begun).toEqual([]);
    expect(await runs()).toMatchObject([{ state: 'waiting', attempt: 0, dueAt: new Date(at) }]);
    expect(await attempts()).toEqual([]);
  });

  test('begins once where something else has changed', async () => {
    const at = await justBefore();
    rig.engine.wake();
    await rig.clock.advanceBy(1_000);
    expect(begun).toHaveLength(1);
    expect(begun[0]).toBeGreaterThanOrEqual(at);
    expect(await attempts()).toMatchObject([{ outcome: 'succeeded', attempt: 1 }]);
  });

  test.each([
    ['that must never run twice', { policies: { recovery: 'abandon' as const } }],
    [
      'with a fixed delay',
      { trigger: { type: 'interval' as const, every: minute, mode: 'fixed-delay' as const } },
    ],
  ])('does not concern a job %s', async (_, job) => {
    await justBefore(job);
    expect(await runs()).toEqual([]);
    await rig.clock.advanceBy(1_000);
    expect(begun).toHaveLength(1);
  });

  test('does not concern a job of which a run goes on: overlap is decided at the instant', async () => {
    await justBefore({ handler: 'long' });
    await rig.clock.advanceBy(30_000);
    expect(begun).toHaveLength(1);
    const next = (await storage.getJob(ref))!.nextRunAt!.getTime();
    await rig.clock.advanceBy(next - rig.clock.now() - 1);
    expect((await storage.queryGaps({}, {})).items).toEqual([]);
    await rig.clock.advanceBy(1_000);
    expect((await storage.queryGaps({}, {})).items).toMatchObject([
      { verdict: 'skipped', from: new Date(next) },
    ]);
  });

  test('leaves its room to what is due long before it', async () => {
    const at = rig.clock.now() + 1_000;
    const crons = Array.from({ length: 300 }, (_, index) =>
      everyMs(at, minute, { id: `job-${index}`, nextAt: at }),
    );
    const adding = rig.add(...crons);
    await rig.clock.advanceBy(900);
    await adding;
    expect(await runs()).not.toEqual([]);
    const urgent = rig.add({ id: 'urgent' });
    await rig.clock.advanceBy(99);
    await urgent;
    expect(begun).toHaveLength(1);
    await rig.clock.advanceBy(10_000);
    expect(begun).toHaveLength(301);
    expect(Math.min(...begun.slice(1))).toBeGreaterThanOrEqual(at);
    expect(new Set((await attempts()).map(({ runId }) => runId)).size).toBe((await attempts()).length);
  });

  test('counts as room that is taken', async () => {
    const at = rig.clock.now() + 1_000;
    const crons = Array.from({ length: 10 }, (_, index) =>
      everyMs(at, minute, { id: `job-${index}`, handler: 'long', nextAt: at }),
    );
    const adding = rig.add(...crons);
    await rig.clock.advanceBy(999);
    await adding;
    const now = rig.clock.now();
    await storage.insertJobs([newJob(now, { id: 'urgent' })], 'raise');
    rig.engine.wake({ kind: 'due', at: now, what: 'run' });
    await rig.clock.advanceBy(1_000);
    expect(begun).toHaveLength(10);
    expect((await storage.queryRuns({ jobId: 'urgent' }, {})).items).toMatchObject([{ state: 'waiting' }]);
  });
});

describe('the timer of an instant', () => {
  const serverAheadMs = 1_000_000.25;
  /** What has no fraction counts as cut. */
  const closeWayMs = 0.01;
  const asks: number[] = [];
  /** What comes of an ask. */
  let onAsk: () => void;
  let clock: ManualClock;
  let time: StorageTime;
  let begun: number[];
  let early: EarlyRuns;
  const givenBack: string[] = [];

  beforeEach(() => {
    asks.length = givenBack.length = 0;
    onAsk = () => undefined;
    clock = new ManualClock();
    time = new StorageTime(clock);
    begun = [];
    early = new EarlyRuns(
      clock,
      time,
      () => void begun.push(serverNow()),
      async () => {
        asks.push(serverNow());
        onAsk();
      },
      (runs) => void givenBack.push(...runs.map(({ id }) => id)),
    );
  });

  const serverNow = (): number => clock.monotonic() + serverAheadMs;

  /** `wayMs`: for so long the answer was on its way. */
  const answer = (wayMs: number): void => time.observe(serverNow() - wayMs, clock.monotonic() - 2 * wayMs);

  function addIn(ms: number): number {
    const dueAt = Math.ceil(serverNow()) + ms;
    early.add([{ id: 'run', dueAt } as ClaimedRun]);
    return dueAt;
  }

  test('gives back what is far off, as the clock was ahead and is set right', async () => {
    const day = 86_400_000;
    clock.jumpWall(serverNow() - clock.now());
    time.observe(serverNow(), clock.monotonic());
    addIn(500);
    clock.jumpWall(-day);
    time.observe(serverNow() - day, clock.monotonic());
    expect(early.isFarOff({ dueAt: serverNow() + 500 } as ClaimedRun)).toBe(true);
    await clock.advanceBy(1_000);
    expect([givenBack, begun, early.size]).toEqual([['run'], [], 0]);
  });

  test('goes by what came closer after it was set', async () => {
    answer(12);
    const dueAt = addIn(500);
    await clock.advanceBy(300);
    answer(0);
    await clock.advanceBy(300);
    expect(begun).toHaveLength(1);
    expect(begun[0]).toBeGreaterThanOrEqual(dueAt);
    expect(begun[0]! - dueAt).toBeLessThan(3);
  });

  test('asks for the time shortly before, where the last close answer is old, and never begins early', async () => {
    answer(0);
    const dueAt = addIn(30_000);
    await clock.advanceBy(29_900);
    expect(asks).toEqual([]);
    onAsk = () => answer(closeWayMs);
    await clock.advanceBy(82);
    expect(asks).toHaveLength(1);
    expect(dueAt - asks[0]!).toBeLessThan(60);
    await clock.advanceBy(100);
    expect(asks).toHaveLength(1);
    expect(begun[0]! - dueAt).toBeGreaterThanOrEqual(0);
    expect(begun[0]! - dueAt).toBeLessThan(3);
  });

  test('asks for nothing where an answer has just come, or the instant is near', async () => {
    answer(0);
    addIn(100);
    await clock.advanceBy(60);
    answer(0);
    await clock.advanceBy(50);
    expect(begun).toHaveLength(1);
    addIn(39);
    await clock.advanceBy(50);
    expect(begun).toHaveLength(2);
    expect(asks).toEqual([]);
  });

  test('asks again where an answer was long on its way, a few times', async () => {
    answer(0);
    const dueAt = addIn(30_000);
    const ways = [8, 1, closeWayMs, closeWayMs];
    onAsk = () => answer(ways[asks.length - 1]!);
    await clock.advanceBy(30_100);
    expect(asks).toHaveLength(3);
    expect(begun[0]! - dueAt).toBeGreaterThanOrEqual(0);
    expect(begun[0]! - dueAt).toBeLessThan(2);
  });

  test('begins without an answer, a little late', async () => {
    answer(0);
    const dueAt = addIn(10_000);
    await clock.advanceBy(10_100);
    expect(asks.length).toBeGreaterThan(0);
    expect(begun[0]! - dueAt).toBeGreaterThan(1);
    expect(begun[0]! - dueAt).toBeLessThan(13);
  });

  test('is forgotten with its run, also on the way', async () => {
    answer(0);
    addIn(1_000);
    await clock.advanceBy(985);
    early.take();
    expect(clock.pending).toBe(0);
    await clock.advanceBy(1_000);
    expect(begun).toEqual([]);
  });
});

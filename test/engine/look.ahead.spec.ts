import { afterEach, describe, expect, test } from 'vitest';
import type { EngineOptions } from '../../lib/engine/engine.options.js';
import { Firer } from '../../lib/engine/firer.js';
import { Lead } from '../../lib/engine/lead.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import { StorageCalls } from '../../lib/engine/storage.calls.js';
import { StorageTime } from '../../lib/engine/storage.time.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, everyMs, newJob } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';
import { OffsetClock } from '../support/offset.clock.js';

const minute = 60_000;
const ref = (id: string) => ({ namespace: 'default', id });

describe('an engine that looks ahead', () => {
  let rig: EngineRig;
  let calls: string[];
  /** The storage's clock. */
  let now: () => number;
  /** Milliseconds from the nominal time to the start, by the clock of the storage. */
  let lags: number[];
  let begun: string[];

  async function start(
    given: { offsetMs?: number; answersAfterMs?: number; options?: Partial<EngineOptions> } = {},
  ): Promise<void> {
    const clock = new ManualClock();
    const storageClock = new OffsetClock(clock, given.offsetMs ?? 0);
    const storage = slow(new MemoryStorage({ clock: storageClock }), clock, given.answersAfterMs ?? 0);
    const watched = new FaultyStorage(storage);
    calls = watched.calls;
    lags = [];
    begun = [];
    rig = new EngineRig({
      clock,
      storage: watched.storage,
      options: { pollMs: minute, lookAheadMs: 500, ...given.options },
    });
    rig.handle('work', ({ job, nominalAt }: RunContext) => {
      begun.push(job.id);
      lags.push(storageClock.now() - nominalAt.getTime());
    });
    now = () => storageClock.now();
    const starting = rig.engine.start();
    await rig.clock.advanceBy(1_000);
    await starting;
  }

  /** Each answer takes its time on the way back. */
  function slow(storage: StorageAdapter, clock: ManualClock, ms: number): StorageAdapter {
    if (ms === 0) return storage;
    return new Proxy(storage, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          const answer: unknown = await Reflect.apply(value, target, args);
          if (key !== 'insertJobs') await new Promise<void>((done) => void clock.setTimer(ms, done));
          return answer;
        };
      },
    });
  }

  /** Of the loop only; the lease and the janitor have their own pace. */
  const loopCalls = () => {
    const ofLoop = ['nextWakeAt', 'dueCursors', 'claim', 'fire', 'settle', 'giveBack'];
    return calls.splice(0).filter((call) => ofLoop.includes(call));
  };

  /** Crons due in a second by the storage's clock, and then every minute. */
  async function addCrons(count: number): Promise<number> {
    const at = now() + 1_000;
    await rig.add(
      ...Array.from({ length: count }, (_, index) => ({
        ...everyMs(at, minute, { id: `cron-${index}`, nextAt: at }),
      })),
    );
    await rig.settle();
    loopCalls();
    return at;
  }

  afterEach(() => rig.end());

  test.each([0, -30_000, 30_000])(
    'starts jobs at their instant by the clock of the storage, %i ms off the local one',
    async (offsetMs) => {
      await start({ offsetMs });
      await addCrons(3);
      await rig.add({ nextAt: now() + 700 });
      await rig.clock.advanceBy(2 * minute);
      expect(begun).toHaveLength(7);
      expect(lags).toEqual(Array(7).fill(0));
    },
  );

  test.each([-30_000, 30_000])(
    'never starts early where answers are slow, %i ms off the local clock',
    async (offsetMs) => {
      await start({ offsetMs, answersAfterMs: 40 });
      await addCrons(3);
      await rig.clock.advanceBy(3 * minute);
      expect(lags).toHaveLength(9);
      // The bound is late by the way of an answer; the firing, which takes as long, is sent before. A timer is a millisecond late at most.
      for (const lag of lags) expect([40, 41]).toContain(lag);
    },
  );

  test('reads the cursors before, so that the firing is all that is left to do at the instant', async () => {
    await start({ options: { concurrency: 100 } });
    await addCrons(50);
    await rig.clock.advanceBy(499);
    expect(loopCalls()).toEqual([]);
    await rig.clock.advanceBy(500);
    expect(loopCalls()).toEqual(['dueCursors']);
    expect(begun).toEqual([]);
    await rig.clock.advanceBy(1);
    expect(begun).toHaveLength(50);
    expect(loopCalls().slice(0, 1)).toEqual(['fire']);
  });

  test('fires many of the same instant in portions, the next as soon as the handlers have made room', async () => {
    await start({ options: { concurrency: 100 } });
    await addCrons(1_000);
    await rig.clock.advanceBy(1_000);
    expect(begun).toHaveLength(1_000);
    expect(new Set(begun).size).toBe(1_000);
    const counted = loopCalls();
    expect(counted.filter((call) => call === 'fire')).toHaveLength(10);
    expect(counted.filter((call) => call === 'dueCursors' || call === 'claim')).toEqual(['dueCursors']);
    expect(counted.indexOf('nextWakeAt')).toBeGreaterThan(counted.lastIndexOf('fire'));
    expect(lags).toEqual(Array(1_000).fill(0));
  });

  test('fires what there is no room for as well, at once, and runs it later', async () => {
    await start({ options: { concurrency: 10 } });
    const ends: (() => void)[] = [];
    rig.handle('long', () => new Promise<void>((resolve) => ends.push(resolve)));
    const at = now() + 1_000;
    await rig.add(
      ...Array.from({ length: 500 }, () => ({ ...everyMs(at, minute, { handler: 'long' }), nextAt: at })),
    );
    await rig.clock.advanceBy(1_000);
    await rig.settle();
    expect(ends).toHaveLength(10);
    expect((await rig.storage.queryRuns({}, { limit: 1_000 })).items).toHaveLength(500);
    expect(loopCalls().filter((call) => call === 'fire').length).toBeLessThanOrEqual(3);
    for (let ended = 0; ended < 500; ended++) {
      if (ends[ended] === undefined) await rig.settle();
      ends[ended]!();
    }
    await rig.settle();
    expect((await rig.storage.queryAttempts({}, { limit: 1_000 })).items).toHaveLength(500);
  });

  test('reads the instants of half a second at once and fires each at its own, without a look in between', async () => {
    await start();
    const at = now() + 1_000;
    await rig.add(...Array.from({ length: 20 }, (_, i) => ({ ...everyMs(at, minute), nextAt: at + 20 * i })));
    await rig.settle();
    loopCalls();
    await rig.clock.advanceBy(1_390);
    expect(lags).toEqual(Array(20).fill(0));
    const counted = loopCalls().filter((call) => call !== 'settle');
    expect(counted.filter((call) => call === 'fire')).toHaveLength(20);
    expect(counted.filter((call) => call !== 'fire')).toEqual([
      'dueCursors',
      'nextWakeAt',
      'dueCursors',
      'nextWakeAt',
    ]);
  });

  test('claims a one-off at its instant with nothing before it', async () => {
    await start();
    const at = now() + 3_000;
    await rig.add({ nextAt: at });
    await rig.clock.advanceBy(2_999);
    loopCalls();
    await rig.clock.advanceBy(1);
    expect(begun).toHaveLength(1);
    expect(loopCalls()[0]).toBe('claim');
  });

  test('claims as long as there is more than room for, without a look in between', async () => {
    await start({ options: { concurrency: 5 } });
    await rig.add(...Array.from({ length: 22 }, () => ({})));
    await rig.settle();
    expect(begun).toHaveLength(22);
    const counted = loopCalls().join(' ');
    expect(counted).toContain('claim settle claim settle claim settle claim');
  });

  test.each<[string, (at: number) => Promise<unknown>]>([
    ['a pause', () => rig.storage.pauseJob(ref('cron-0'), { reason: 'test', by: null })],
    ['a pause of all', () => rig.storage.pauseScope({ kind: 'all' } as never, { reason: 'test', by: null })],
    ['a deletion', () => rig.storage.deleteJob(ref('cron-0'))],
    ['another time', (at) => rig.storage.updateJob(ref('cron-0'), { nextAt: at + 200 })],
    ['another handler', () => rig.storage.updateJob(ref('cron-0'), { handler: 'other' })],
  ])('%s between the read and the instant counts, told or untold', async (name, change) => {
    for (const isTold of [false, true]) {
      await start();
      const at = await addCrons(1);
      await rig.clock.advanceBy(990);
      expect(loopCalls()).toEqual(['dueCursors']);
      await change(at);
      if (isTold) rig.engine.wake();
      await rig.clock.advanceBy(100);
      expect(begun).toEqual([]);
      await rig.clock.advanceBy(500);
      expect(begun).toHaveLength(name === 'another time' ? 1 : 0);
      if (!isTold) await rig.stop();
    }
  });

  test('another payload between the read and the instant is the one that runs', async () => {
    await start();
    const payloads: unknown[] = [];
    rig.handle('told', ({ payload }: RunContext) => payloads.push(payload));
    const at = now() + 1_000;
    await rig.add({ ...everyMs(at, minute, { id: 'job', handler: 'told', payload: 'old' }), nextAt: at });
    await rig.clock.advanceBy(900);
    await rig.storage.updateJob(ref('job'), { payload: 'new' });
    await rig.clock.advanceBy(100);
    expect(payloads).toEqual(['new']);
  });

  test('a job made after the read starts in its order', async () => {
    await start();
    const at = await addCrons(1);
    await rig.clock.advanceBy(900);
    const addAt = (id: string, nextAt: number) => rig.add(everyMs(nextAt, minute, { id, nextAt }));
    await addAt('sooner', at - 50);
    await addAt('later', at + 50);
    await addAt('due', at - 100);
    await rig.clock.advanceBy(150);
    expect(begun).toEqual(['due', 'sooner', 'cron-0', 'later']);
    expect(lags).toEqual([0, 0, 0, 0]);
  });

  test('of several that read the same each instant is fired once', async () => {
    await start();
    const other = new EngineRig({ clock: rig.clock, storage: rig.storage });
    other.handle('work', ({ job }: RunContext) => begun.push(job.id));
    await other.engine.start();
    await addCrons(300);
    await rig.clock.advanceBy(1_000);
    await rig.settle();
    expect(begun).toHaveLength(300);
    expect(new Set(begun).size).toBe(300);
    await other.stop();
  });

  test('more cursors than are read at once lose none', async () => {
    await start({ options: { concurrency: 1_000 } });
    await addCrons(4_500);
    await rig.clock.advanceBy(1_000);
    await rig.settle();
    expect(new Set(begun).size).toBe(4_500);
    expect(loopCalls().filter((call) => call === 'dueCursors')).toHaveLength(3);
  });

  test('reads when they are due where it is off', async () => {
    await start({ options: { lookAheadMs: 0 } });
    await addCrons(5);
    await rig.clock.advanceBy(999);
    expect(loopCalls()).toEqual([]);
    await rig.clock.advanceBy(1);
    expect(loopCalls().slice(0, 2)).toEqual(['dueCursors', 'fire']);
    expect(lags).toEqual([0, 0, 0, 0, 0]);
  });
});

function firerOf({ storage, clock, events }: EngineRig, time: StorageTime): Firer {
  const calls = new StorageCalls(clock, events, () => 0.5);
  return new Firer({ storage, clock, events, time, calendars: {}, calls }, new Lead(500));
}

test('an instant that was found due is not lost when the bound of the time falls below it', async () => {
  const rig = new EngineRig();
  const capability = { workerId: 'none', app: 'test', queues: ['default'], handlers: ['work'] };
  const at = rig.clock.now();
  await rig.storage.insertJobs([newJob(at, { ...everyMs(at, minute), nextAt: at })], 'raise');
  const { cursors } = await rig.storage.dueCursors(capability, 10);
  const time = new StorageTime(rig.clock);
  time.observe(at - 5, rig.clock.monotonic());
  const fired = await firerOf(rig, time).fire(capability, cursors, 0);
  expect(fired).toMatchObject({ moved: 1, unclaimed: 1, nextAt: at + minute });
  const [run] = (await rig.storage.queryRuns({}, {})).items;
  expect(run?.nominalAt).toEqual(new Date(at));
});

test.each([
  ['in time', 0, { missed: 0, nextInMs: minute }],
  ['late', 59_999, { missed: 0, nextInMs: minute }],
  ['later than the threshold of a misfire', 10 * minute + 1, { missed: 10, nextInMs: 11 * minute }],
])('what was decided when a cursor was read holds if it is fired %s', async (_, lateMs, expected) => {
  const rig = new EngineRig();
  const capability = { workerId: 'none', app: 'test', queues: ['default'], handlers: ['work'] };
  const at = rig.clock.now() + 500;
  await rig.storage.insertJobs([newJob(at, { ...everyMs(at, minute), nextAt: at })], 'raise');
  const firer = firerOf(rig, new StorageTime(rig.clock));
  const ahead = await firer.read(capability, 1_000);
  await rig.clock.advanceBy(500 + lateMs);
  const fired = await firer.fire(capability, ahead.take(rig.clock.now()), 0);
  expect(fired).toMatchObject({ moved: 1, unclaimed: 1, nextAt: at + expected.nextInMs });
  const [run] = (await rig.storage.queryRuns({}, {})).items;
  expect(run?.nominalAt).toEqual(new Date(at + expected.missed * minute));
});

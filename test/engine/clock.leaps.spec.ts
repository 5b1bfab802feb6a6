import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { engineDefaults } from '../../lib/engine/engine.options.js';
import type { ChronisEventMap } from '../../lib/events/event.map.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, everyMs } from '../support/engine.js';
import { OffsetClock } from '../support/offset.clock.js';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

describe("a storage's clock that leaps", () => {
  let clock: ManualClock;
  let server: OffsetClock;
  let rig: EngineRig;
  let start: number;
  /** In whole minutes since the start, as the clock of the test shows them. */
  let nominal: number[];
  let ran: number[];
  let leaps: ChronisEventMap['clock.leapt'][];

  beforeEach(async () => {
    clock = new ManualClock();
    server = new OffsetClock(clock);
    begin();
    await rig.engine.start();
    await rig.add(everyMs(start, minute, { id: 'minutely', handler: 'minutely' }));
  });

  afterEach(async () => {
    if (rig.engine.running) await rig.stop();
  });

  function begin(): void {
    rig = new EngineRig({ clock, storage: new MemoryStorage({ clock: server }) });
    start = clock.now();
    nominal = [];
    ran = [];
    leaps = [];
    rig.handle('minutely', ({ nominalAt }) => {
      nominal.push((nominalAt.getTime() - start) / minute);
      ran.push((clock.now() - start) / minute);
    });
    rig.events.on('clock.leapt', (leap) => leaps.push(leap));
  }

  const gaps = async () => (await rig.storage.queryGaps({}, {})).items;
  const upTo = (last: number): number[] => Array.from({ length: last }, (_, nth) => nth + 1);

  test.each([
    ['ahead', hour],
    ['ahead by a year', 365 * 24 * hour],
    ['back', -hour],
  ])('%s and returns: schedules neither run what it leapt over nor wait for it', async (_, leapMs) => {
    await clock.advanceBy(3.5 * minute);
    server.offsetMs = leapMs;
    await clock.advanceBy(5 * minute);
    server.offsetMs = 0;
    await clock.advanceBy(3 * minute);
    expect(nominal).toEqual(upTo(11));
    expect(ran.map((at) => Math.round(at))).toEqual(upTo(11));
    expect(await gaps()).toEqual([]);
    expect(leaps.map(({ state }) => state)).toEqual(['doubted', 'reverted']);
    expect(Math.abs(leaps[0]!.byMs - leapMs)).toBeLessThan(second);
  });

  test.each([
    ['ahead', hour],
    ['back', -hour],
  ])('%s and returns: what must not run twice goes on, each instant once', async (_, leapMs) => {
    const once: number[] = [];
    rig.handle('once', ({ nominalAt }) => void once.push((nominalAt.getTime() - start) / minute));
    await rig.add(everyMs(start, minute, { id: 'once', handler: 'once', policies: { recovery: 'abandon' } }));
    await clock.advanceBy(3.5 * minute);
    server.offsetMs = leapMs;
    await clock.advanceBy(5 * minute);
    expect(once).toEqual(upTo(8));
    server.offsetMs = 0;
    await clock.advanceBy(3 * minute);
    expect(once).toEqual(upTo(11));
    expect(await gaps()).toEqual([]);
    const { items } = await rig.storage.queryAttempts({ jobId: 'once' }, {});
    expect(items.map(({ outcome }) => outcome)).toEqual(upTo(11).map(() => 'succeeded'));
  });

  test('ahead for good: schedules follow after ten minutes, and what was leapt over is missed', async () => {
    await clock.advanceBy(3.5 * minute);
    server.offsetMs = hour;
    await clock.advanceBy(9 * minute);
    expect(nominal).toEqual(upTo(12));
    await clock.advanceBy(5 * minute);
    expect(leaps.map(({ state }) => state)).toEqual(['doubted', 'followed']);
    expect(nominal.every((at, nth) => nth === 0 || at > nominal[nth - 1]!)).toBe(true);
    expect(nominal.at(-1)).toBe(77);
    const [gap] = await gaps();
    expect(gap).toMatchObject({ verdict: 'missed', from: new Date(start + 14 * minute) });
  });

  test.each([
    ['half a minute', 0.5 * minute, 1.1 * minute],
    ['three minutes', 3 * minute, 3.1 * minute],
  ])(
    'ahead by %s, as where a machine has slept with its clock: schedules follow after as long',
    async (_, leapMs, passMs) => {
      await clock.advanceBy(3.5 * minute);
      server.offsetMs = leapMs;
      await clock.advanceBy(passMs);
      expect(leaps.map(({ state }) => state)).toEqual(['doubted', 'followed']);
    },
  );

  test.each([hour, -hour])(
    'by %d ms with the clock of the machine: schedules follow at once',
    async (leapMs) => {
      await clock.advanceBy(3.5 * minute);
      clock.jumpWall(leapMs);
      await clock.advanceBy(minute);
      expect(leaps.map(({ state }) => state)).toEqual(['followed']);
    },
  );

  test('to where the clock of the machine is: schedules follow at once', async () => {
    await rig.stop();
    server.offsetMs = -hour;
    begin();
    await rig.engine.start();
    await clock.advanceBy(minute);
    server.offsetMs = 0;
    await clock.advanceBy(minute);
    expect(leaps).toEqual([{ byMs: expect.closeTo(hour, -3) as number, state: 'followed' }]);
  });

  test('by less than ten seconds is followed without a word', async () => {
    await clock.advanceBy(3.5 * minute);
    server.offsetMs = 9 * second;
    await clock.advanceBy(5 * minute);
    server.offsetMs = 0;
    await clock.advanceBy(5 * minute);
    expect(nominal).toEqual(upTo(13));
    expect(leaps).toEqual([]);
  });

  test('ahead: what is created meanwhile runs at once, and what fails is tried again after its pause', async () => {
    const attempts: number[] = [];
    rig.handle('failing', () => {
      attempts.push(clock.now());
      throw new Error('no');
    });
    await clock.advanceBy(minute);
    server.offsetMs = hour;
    await clock.advanceBy(minute);
    const policies = {
      maxRetries: 1,
      backoff: { type: 'fixed' as const, delayMs: 30 * second, jitter: false },
    };
    const at = server.now();
    await rig.add({ handler: 'failing', nextAt: at, policies });
    await clock.advanceBy(minute);
    expect(attempts).toHaveLength(2);
    expect(attempts[1]! - attempts[0]!).toBeGreaterThanOrEqual(20 * second);
  });

  test('back: what fails is tried again after its pause by who doubts the leap, and by nobody else before', async () => {
    const attempts: number[] = [];
    rig.handle('failing', () => {
      attempts.push(clock.now());
      throw new Error('no');
    });
    await clock.advanceBy(minute);
    server.offsetMs = -hour;
    await clock.advanceBy(minute);
    const backoff = { type: 'fixed' as const, delayMs: 30 * second };
    await rig.add({
      id: 'failing',
      handler: 'failing',
      nextAt: server.now(),
      policies: { maxRetries: 1, backoff },
    });
    await clock.advanceBy(10 * second);
    const [retry] = (await rig.storage.queryRuns({ jobId: 'failing' }, {})).items;
    expect(Math.round((retry!.dueAt!.getTime() - server.now()) / minute)).toBe(60);
    await clock.advanceBy(minute);
    expect(attempts).toHaveLength(2);
    expect(attempts[1]! - attempts[0]!).toBeGreaterThanOrEqual(20 * second);
  });

  test.each([0, hour, -hour])(
    'by %d ms: what others have locked is not asked for all the time',
    async (leapMs) => {
      await clock.advanceBy(2 * minute);
      server.offsetMs = leapMs;
      await clock.advanceBy(minute);
      await rig.add(everyMs(start, second, { handler: 'minutely', nextAt: start + 3 * minute + second }));
      let claims = 0;
      rig.storage.claim = async () => {
        claims++;
        return { runs: [], now: null };
      };
      await rig.add({ handler: 'minutely', nextAt: server.now() - second });
      await clock.advanceBy(10 * second);
      expect(claims).toBeGreaterThan(5);
      expect(claims).toBeLessThan(200);
    },
  );

  test.each([hour, -hour])('by %d ms: a fixed delay goes on when it has returned', async (leapMs) => {
    let times = 0;
    rig.handle('delayed', () => times++);
    const trigger = {
      type: 'interval' as const,
      every: 20 * second,
      mode: 'fixed-delay' as const,
      anchor: new Date(start).toISOString(),
    };
    await rig.add({ handler: 'delayed', trigger, nextAt: start + 20 * second });
    await clock.advanceBy(2 * minute);
    expect(times).toBeGreaterThan(4);
    server.offsetMs = leapMs;
    await clock.advanceBy(2 * minute);
    server.offsetMs = 0;
    const before = times;
    await clock.advanceBy(2 * minute);
    expect(times).toBeGreaterThan(before + 3);
  });

  test('ahead and returns: a worker that died meanwhile is waited for no longer than its lease', async () => {
    const leaseMs = 20 * second;
    await rig.add({ id: 'once', handler: 'once' });
    server.offsetMs = hour;
    const dead = { workerId: 'dead', app: 'test', queues: ['default'], handlers: ['once'] };
    const registration = {
      ...{ id: 'dead', name: 'dead', app: 'test', generation: null, host: 'h', pid: 1, version: '1' },
      ...{ zoneData: '', queues: dead.queues, handlers: dead.handlers, retention: null },
    };
    await rig.storage.register(registration, leaseMs);
    expect((await rig.storage.claim(dead, 1)).runs).toHaveLength(1);
    let executions = 0;
    rig.handle('once', () => executions++);
    await clock.advanceBy(5 * second);
    server.offsetMs = 0;
    await clock.advanceBy(leaseMs + 2 * engineDefaults.pollMs);
    expect(executions).toBe(1);
  });

  test('ahead and returns, and a lease is cut: the storage has lost nothing', async () => {
    const told: string[] = [];
    rig.events.on('storage.went-back', () => told.push('storage.went-back'));
    rig.events.on('worker.lease-lost', () => told.push('worker.lease-lost'));
    await clock.advanceBy(5 * second);
    server.offsetMs = 10 * second;
    await clock.advanceBy(2 * engineDefaults.leaseMs);
    server.offsetMs = 0;
    await rig.storage.releaseLost();
    await clock.advanceBy(2 * engineDefaults.leaseMs);
    expect(told).toEqual([]);
  });
});

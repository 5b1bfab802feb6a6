import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunContext } from '../../lib/engine/run.context.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { Clock, type CancelTimer } from '../../lib/ports/clock.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, everyMs, newJob } from '../support/engine.js';

/** The clock of a machine that can sleep: its monotonic time and its timers stand still meanwhile, the time of day does not. */
class SleepyClock extends ManualClock {
  /** How long the machine has slept in all. */
  private sleptMs = 0;

  constructor(private readonly world: Clock) {
    super(world.now());
  }

  sleep(ms: number): void {
    this.sleptMs += ms;
  }

  override now(): number {
    return this.world.now();
  }

  override monotonic(): number {
    return this.world.monotonic() - this.sleptMs;
  }

  override setTimer(delayMs: number, callback: () => void): CancelTimer {
    const at = this.monotonic() + delayMs;
    let cancel: CancelTimer;
    const wait = (): void => {
      const left = at - this.monotonic();
      cancel = this.world.setTimer(left, () => (this.monotonic() >= at ? callback() : wait()));
    };
    wait();
    return () => cancel();
  }
}

describe('a machine that sleeps', () => {
  const leaseMs = 30_000;
  let world: ManualClock;
  let own: SleepyClock;
  let rig: EngineRig;
  let begun: RunContext[];
  let ends: (() => void)[];
  let isAsleep: boolean;

  beforeEach(async () => {
    world = new ManualClock();
    own = new SleepyClock(world);
    rig = new EngineRig({
      clock: own,
      storage: new MemoryStorage({ clock: world }),
      options: { leaseMs },
    });
    begun = [];
    ends = [];
    isAsleep = false;
    const signal = rig.storage.wakeSignal!;
    const subscribe = signal.subscribe.bind(signal);
    signal.subscribe = (hear, watcher) => subscribe((wake) => void (isAsleep || hear(wake)), watcher);
    rig.handle('work', (context: RunContext) => {
      begun.push(context);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
    rig.handle('tick', () => undefined);
    await rig.engine.start();
    await world.advanceBy(0);
  });

  afterEach(async () => {
    for (const end of ends) end();
    const stopping = rig.engine.stop();
    await world.advanceBy(60_000);
    await stopping;
  });

  /** Time passes for the world, not for the machine: nothing of it happens. */
  async function sleep(ms: number, others?: () => Promise<void>): Promise<void> {
    own.sleep(ms);
    isAsleep = true;
    await world.advanceBy(ms);
    await others?.();
    isAsleep = false;
  }

  const add = (job: Parameters<typeof newJob>[1]) =>
    rig.storage.insertJobs([newJob(world.now(), job)], 'raise');

  test('for longer than the lease: handlers are told within a second after it woke', async () => {
    await add({});
    await world.advanceBy(1_000);
    expect(begun).toHaveLength(1);
    await sleep(leaseMs);
    await world.advanceBy(1_000);
    expect(begun[0]!.signal.aborted).toBe(true);
    expect(rig.told).toContain('worker.lease-lost');
    await add({});
    await world.advanceBy(10_000);
    expect(begun.length).toBeGreaterThan(1);
  });

  test.each([
    ['fails', () => Promise.reject(new Error('No route to host'))],
    ['does not answer', () => new Promise<never>(() => undefined)],
  ])(
    'for longer than the lease, beside a storage that %s: handlers are told all the same',
    async (_, renew) => {
      await add({});
      await world.advanceBy(1_000);
      const { storage } = rig;
      const before = storage.renew.bind(storage);
      storage.renew = renew;
      await sleep(leaseMs);
      await world.advanceBy(3_000);
      expect(begun[0]!.signal.aborted).toBe(true);
      storage.renew = before;
    },
  );

  test('for less than the lease: nothing is lost, and it goes on at once', async () => {
    await add({});
    await world.advanceBy(1_000);
    await sleep(leaseMs - 3_000);
    await world.advanceBy(1_000);
    expect(begun[0]!.signal.aborted).toBe(false);
    await add({});
    await world.advanceBy(1_000);
    expect(begun).toHaveLength(2);
    expect(rig.told).not.toContain('worker.lease-lost');
  });

  /** What the machine held is another worker's by now. */
  async function loseAll(): Promise<void> {
    const { storage } = rig;
    const sets = { app: 'test', queues: ['default'], handlers: ['work'] };
    const about = { name: 'other', generation: null, host: 'h', pid: 1, version: '1', zoneData: '' };
    await storage.register({ ...about, ...sets, id: 'other', retention: null }, 600_000);
    expect((await storage.releaseLost()).runs).toHaveLength(1);
    expect((await storage.claim({ ...sets, workerId: 'other' }, 1)).runs).toHaveLength(1);
  }

  test('for longer than the lease: a claim that is answered after it woke begins nothing', async () => {
    const { storage } = rig;
    const claim = storage.claim.bind(storage);
    let arrive = (): void => expect.fail('Nothing was claimed.');
    storage.claim = async (...asked) => {
      const answer = await claim(...asked);
      if (answer.runs.length > 0) await new Promise<void>((resolve) => (arrive = resolve));
      return answer;
    };
    await add({});
    await world.advanceBy(1_000);
    storage.claim = claim;
    await sleep(leaseMs + 1_000, loseAll);
    arrive();
    await world.advanceBy(5_000);
    expect(begun).toEqual([]);
  });

  test('for longer than the lease: what it has claimed before its instant does not begin after it woke', async () => {
    const { storage } = rig;
    const claim = storage.claim.bind(storage);
    storage.claim = (worker, limit, _, reached) => claim(worker, limit, 1_000, reached);
    await add({ nextAt: world.now() + 500 });
    await add({ handler: 'tick' });
    await world.advanceBy(400);
    expect((await storage.queryRuns({}, {})).items).toMatchObject([{ state: 'running' }]);
    expect(begun).toEqual([]);
    storage.claim = claim;
    await sleep(leaseMs + 1_000, loseAll);
    // The network is not back yet.
    const renew = storage.renew.bind(storage);
    storage.renew = () => new Promise(() => undefined);
    await world.advanceBy(5_000);
    expect(begun).toEqual([]);
    storage.renew = renew;
  });

  test('schedules go on when it has woken', async () => {
    await rig.storage.insertJobs(
      [newJob(world.now(), { ...everyMs(world.now(), 1_000), handler: 'tick' })],
      'raise',
    );
    await world.advanceBy(5_000);
    await sleep(600_000);
    const since = world.now();
    await world.advanceBy(10_000);
    const ran = (await rig.storage.queryAttempts({}, {})).items.filter(
      ({ nominalAt }) => nominalAt.getTime() > since,
    );
    expect(ran.length).toBeGreaterThan(7);
    expect(rig.told.filter((name) => name === 'clock.leapt')).toHaveLength(1);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LostRuns } from '../../lib/engine/lost.runs.js';
import { StorageCalls } from '../../lib/engine/storage.calls.js';
import { StorageTime } from '../../lib/engine/storage.time.js';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { Capability, ReleaseResult, StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, everyMs } from '../support/engine.js';

type Release = (runIds?: readonly string[] | null) => Promise<ReleaseResult>;

describe('an engine beside a dead worker', () => {
  let clock: ManualClock;
  let memory: MemoryStorage;
  let rig: EngineRig;
  /** What the engine has asked for, in order: null for all. */
  let asked: (readonly string[] | null)[];
  let askedAt: number[];

  beforeEach(() => {
    clock = new ManualClock();
    memory = new MemoryStorage({ clock });
    asked = [];
    askedAt = [];
  });

  afterEach(async () => {
    await rig.stop(60_000);
    expect(clock.pending).toBe(0);
  });

  function begin(release: (ask: Release, runIds: readonly string[] | null) => Promise<ReleaseResult>): void {
    const ask: Release = (runIds) => memory.releaseLost(runIds);
    const storage = new Proxy<StorageAdapter>(memory, {
      get: (target, key) => {
        if (key === 'releaseLost') {
          return (runIds: readonly string[] | null = null) => {
            asked.push(runIds);
            askedAt.push(clock.monotonic());
            return release(ask, runIds);
          };
        }
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    rig = new EngineRig({ clock, storage });
  }

  /** Dies after ten seconds, with one run. */
  async function deadWorker(): Promise<string> {
    const dead: Capability = { workerId: 'dead', app: 'test', queues: ['default'], handlers: ['lost'] };
    await memory.register(
      {
        ...dead,
        id: 'dead',
        name: '',
        retention: null,
        generation: null,
        host: '',
        pid: 1,
        version: '',
        zoneData: '',
      },
      10_000,
    );
    await rig.add({ id: 'lost', handler: 'lost' });
    const { runs } = await memory.claim(dead, 1);
    return runs[0]!.id;
  }

  test('fires and claims on time while the release of its runs does not answer', async () => {
    let answer = (): void => undefined;
    begin(async (ask) => {
      await new Promise<void>((resolve) => (answer = resolve));
      return ask();
    });
    const ran: number[] = [];
    const start = clock.now();
    rig.handle('work', () => ran.push(clock.now() - start)).handle('lost', () => undefined);
    await deadWorker();
    await rig.engine.start();
    await rig.add(everyMs(start, 1_000));
    await clock.advanceBy(30_000);
    expect(asked).toEqual([null]);
    expect(ran).toEqual(Array.from({ length: 30 }, (_, i) => (i + 1) * 1_000));
    await rig.add({ id: 'one-off' });
    await clock.advanceBy(100);
    expect(ran).toHaveLength(31);
    answer();
    await clock.advanceBy(1_000);
    expect((await memory.queryAttempts({ jobId: 'lost' }, {})).items.map(({ outcome }) => outcome)).toEqual([
      'succeeded',
      'lost',
    ]);
  });

  test('stops without a pause after a release that was under way, and has found nothing', async () => {
    let answer = (): void => undefined;
    let waits = true;
    begin(async (ask) => {
      if (!waits) return ask();
      await new Promise<void>((resolve) => (answer = resolve));
      return { now: clock.now(), workers: [], runs: [], left: [] };
    });
    rig.handle('lost', () => undefined);
    await deadWorker();
    await rig.engine.start();
    await clock.advanceBy(15_000);
    expect(asked).toEqual([null]);
    let stopped = false;
    const stopping = rig.engine.stop().then(() => (stopped = true));
    await clock.advanceBy(0);
    answer();
    for (let turn = 0; turn < 20; turn++) await clock.advanceBy(0);
    expect(stopped).toBe(true);
    await stopping;
    waits = false;
    await rig.engine.start();
  });

  test('fires on time while the release fails, tells it, and tries again by itself', async () => {
    let failures = 0;
    begin((ask) => (++failures < 20 ? Promise.reject(new Error('no release')) : ask()));
    const ran: number[] = [];
    const failing: string[] = [];
    rig.events.on('storage.failing', ({ operation }) => failing.push(operation));
    rig.handle('work', () => ran.push(clock.now())).handle('lost', () => undefined);
    await deadWorker();
    await rig.engine.start();
    await rig.add(everyMs(clock.now(), 1_000));
    await clock.advanceBy(30_000);
    expect(ran).toHaveLength(30);
    expect(new Set(failing)).toEqual(new Set(['release']));
    await clock.advanceBy(70_000);
    expect(rig.told).toContain('workers.released');
    // Pauses grow to five seconds.
    expect(failing).toHaveLength(19);
  });

  test('tells by its id of a run that the storage refuses to take back, until it comes back', async () => {
    let refuses = true;
    let runId = '';
    const no = new Error('no');
    const refused = () => [{ runId, error: no, retryInMs: 60_000 }];
    begin(async (ask) =>
      refuses ? { now: clock.now(), workers: [], runs: [], left: [], refused: refused() } : ask(),
    );
    const told: string[] = [];
    rig.events.on('storage.failing', ({ operation, error }) => told.push(`${operation}: ${String(error)}`));
    rig.events.on('storage.recovered', ({ operation }) => told.push(`${operation} again`));
    const ran: number[] = [];
    rig.handle('lost', () => undefined).handle('work', () => ran.push(clock.now()));
    runId = await deadWorker();
    await rig.engine.start();
    await rig.add(everyMs(clock.now(), 1_000));
    await clock.advanceBy(50_000);
    // Its failure is one of its own: the rest goes on, and it is told once.
    expect(ran).toHaveLength(50);
    expect(told).toEqual([`release run ${runId}: Error: no`]);
    refuses = false;
    await clock.advanceBy(70_000);
    expect(rig.told).toContain('workers.released');
    expect(told.at(-1)).toBe(`release run ${runId} again`);
  });

  test('does not let a lease that ends wait for a pause that an earlier one has brought about', async () => {
    const other = new ManualClock();
    let releases = 0;
    const events = new ChronisEvents();
    const lostRuns = new LostRuns({
      // Others are sooner each time.
      storage: new Proxy<StorageAdapter>(memory, {
        get: (target, key) =>
          key === 'releaseLost'
            ? async () => {
                releases++;
                return { now: other.now(), workers: [], runs: [], left: [] };
              }
            : (Reflect.get(target, key, target) as unknown),
      }),
      ...{ clock: other, time: new StorageTime(other), events, random: () => 1 },
      calls: new StorageCalls(other, events, () => 1),
      ...{ isNeeded: () => true, onGaveUp: () => undefined, onReleased: () => undefined },
    });
    for (let end = 1; end <= 6; end++) {
      lostRuns.check(end);
      await other.advanceBy(60_000);
    }
    const before = releases;
    lostRuns.check(7);
    await other.advanceBy(5);
    lostRuns.check(8);
    await other.advanceBy(5);
    expect(releases).toBe(before + 2);
    // The same again is one whose worker is locked: that is looked at less and less often.
    for (let i = 0; i < 20; i++) {
      lostRuns.check(8);
      await other.advanceBy(5);
    }
    expect(releases).toBe(before + 2);
    await lostRuns.stop();
    begin((ask) => ask());
    await rig.engine.start();
  });

  test('comes back soon and alone to a run that a release has left, less and less often', async () => {
    let locked = '';
    begin(async (ask, runIds) => {
      const { now } = await memory.nextWakeAt({ workerId: '', app: 'test', queues: [], handlers: [] });
      return locked === '' ? ask(runIds) : { now, workers: [], runs: [], left: [locked] };
    });
    rig.handle('lost', () => undefined);
    locked = await deadWorker();
    await rig.engine.start();
    await clock.advanceBy(30_000);
    const alone = asked.filter((runIds) => runIds !== null);
    expect(alone.length).toBeGreaterThan(5);
    expect(alone.length).toBeLessThan(30);
    expect(new Set(alone.flat())).toEqual(new Set([locked]));
    const first = asked.findIndex((runIds) => runIds !== null);
    expect(askedAt[first]! - askedAt[first - 1]!).toBeLessThanOrEqual(200);
    locked = '';
    await clock.advanceBy(2_000);
    expect((await memory.queryAttempts({ jobId: 'lost' }, {})).items.map(({ outcome }) => outcome)).toEqual([
      'succeeded',
      'lost',
    ]);
  });
});

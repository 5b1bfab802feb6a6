import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunContext } from '../../lib/engine/run.context.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { StorageBusyError } from '../../lib/model/errors.js';
import type { StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, everyMs, newJob } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';

describe('an engine whose storage fails', () => {
  let clock: ManualClock;
  let faulty: FaultyStorage;
  let rig: EngineRig;

  beforeEach(() => {
    clock = new ManualClock();
    faulty = new FaultyStorage(new MemoryStorage({ clock }));
    rig = new EngineRig({ clock, storage: faulty.storage });
  });

  afterEach(async () => {
    faulty.comeUp();
    await rig.end(120_000);
  });

  const ofRig = { workerId: 'none', app: 'test', queues: ['default'], handlers: ['work'] };
  const ledger = async () => (await rig.storage.queryAttempts({}, {})).items;

  test('waits with its start for what somebody has locked, for a minute at most, and tells it', async () => {
    let locked = true;
    const busy = new Proxy(rig.storage, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (key !== 'register') return value;
        return async (...args: Parameters<StorageAdapter['register']>) => {
          if (locked) throw new StorageBusyError('Locked.');
          return target.register(...args);
        };
      },
    });
    const started = new EngineRig({ clock, storage: busy });
    const starting = started.engine.start();
    await clock.advanceBy(20_000);
    expect(started.told).toContain('storage.failing');
    locked = false;
    await clock.advanceBy(5_000);
    await starting;
    expect(started.told.filter((name) => name === 'storage.recovered')).toHaveLength(1);
    await started.stop(60_000);

    locked = true;
    const refused = new EngineRig({ clock, storage: busy });
    const failed = expect(refused.engine.start()).rejects.toThrow(StorageBusyError);
    await clock.advanceBy(70_000);
    await failed;
  });

  test('goes on when the storage was away for ten seconds, and catches up', async () => {
    const ran: number[] = [];
    const start = clock.now();
    rig.handle('work', ({ nominalAt }) => ran.push((nominalAt.getTime() - start) / 1_000));
    await rig.engine.start();
    await rig.add(everyMs(start, 1_000, { policies: { overlap: 'allow', misfire: 'all' } }));
    await clock.advanceBy(3_000);
    faulty.goDown();
    await clock.advanceBy(10_000);
    expect(rig.told).toContain('storage.failing');
    faulty.comeUp();
    await clock.advanceBy(7_000);
    expect(ran.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(rig.told).toContain('storage.recovered');
    expect(rig.told).not.toContain('worker.lease-lost');
  });

  test('runs claimed by a call whose answer was lost are given back and run', async () => {
    rig.handle('work', () => undefined);
    await rig.engine.start();
    faulty.fail('claim', 'after');
    await rig.add({}, {});
    await clock.advanceBy(1_000);
    expect((await ledger()).map((row) => [row.outcome, row.attempt])).toEqual([
      ['succeeded', 1],
      ['succeeded', 1],
    ]);
  });

  test.each([
    ['a moment', 2_000],
    ['minutes', 300_000],
  ])(
    'runs claimed by a statement that went on %s after its caller had given up are found and run',
    async (_, lateMs) => {
      const memory = new MemoryStorage({ clock });
      let gaveUp = false;
      const storage = new Proxy(memory, {
        get: (target, key) => {
          const value: unknown = key === 'wakeSignal' ? undefined : Reflect.get(target, key, target);
          if (typeof value !== 'function') return value;
          const call = value.bind(target) as (...args: unknown[]) => unknown;
          if (key !== 'claim') return call;
          return (...args: unknown[]) => {
            if (gaveUp) return call(...args);
            gaveUp = true;
            clock.setTimer(lateMs, () => void call(...args));
            return Promise.reject(new Error('No answer in time.'));
          };
        },
      });
      rig = new EngineRig({ clock, storage, options: { pollMs: 10_000 } });
      rig.handle('work', () => undefined);
      await rig.engine.start();
      await rig.add({ id: 'first' });
      await clock.advanceBy(lateMs - 1_000);
      // Nobody tells the engine of it, and the late claim takes it before the next poll.
      await memory.insertJobs([newJob(clock.now(), { id: 'second' })], 'raise');
      await clock.advanceBy(1_000);
      expect((await rig.storage.getJob({ namespace: 'default', id: 'second' }))?.state).toBe('running');
      await clock.advanceBy(120_000);
      expect((await ledger()).map((row) => [row.jobId, row.outcome, row.attempt])).toEqual([
        ['second', 'succeeded', 1],
        ['first', 'succeeded', 1],
      ]);
    },
  );

  test('an occurrence born by a fire whose answer was lost runs once', async () => {
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await rig.add(everyMs(clock.now(), 60_000));
    faulty.fail('fire', 'after');
    await clock.advanceBy(65_000);
    expect((await ledger()).map((row) => row.outcome)).toEqual(['succeeded']);
  });

  test('what came due while nothing could be fired is fired as soon as that is over', async () => {
    rig = new EngineRig({ clock, storage: faulty.storage, options: { pollMs: 300_000 } });
    const ran = new Set<string>();
    rig.handle('work', ({ job }) => ran.add(job.id));
    await rig.engine.start();
    const ids = Array.from({ length: 12 }, (_, index) => `hourly-${index}`);
    await rig.add(...ids.map((id) => everyMs(clock.now() + 1_000 - 3_600_000, 3_600_000, { id })));
    await rig.add(everyMs(clock.now(), 100_000, { id: 'later' }));
    faulty.fail('fire', ...Array.from({ length: 1_000 }, () => 'before' as const));
    await clock.advanceBy(40_000);
    expect(ran.size).toBe(0);
    faulty.relent('fire');
    await clock.advanceBy(5_000);
    expect([...ran].toSorted()).toEqual(ids.toSorted());
  });

  test('what cannot be fired by itself comes again after its pause, and keeps nothing from the others', async () => {
    const memory = new MemoryStorage({ clock });
    const fire = memory.fire.bind(memory);
    let isBroken = true;
    let bad = '';
    memory.fire = async (capability, firings, room, aheadMs) => {
      if (isBroken && firings.some(({ jobUid }) => jobUid === bad))
        throw new Error('A trigger of the table.');
      return fire(capability, firings, room, aheadMs);
    };
    rig = new EngineRig({ clock, storage: memory, options: { pollMs: 300_000 } });
    const ran: string[] = [];
    rig.handle('work', ({ job }) => ran.push(job.id));
    await rig.engine.start();
    await rig.add(everyMs(clock.now() + 1_000 - 3_600_000, 3_600_000, { id: 'bad' }));
    bad = (await memory.dueCursors(ofRig, 10, 5_000)).cursors[0]!.jobUid;
    await rig.add(
      everyMs(clock.now(), 10_000, { id: 'good' }),
      everyMs(clock.now(), 100_000, { id: 'later' }),
    );
    await clock.advanceBy(60_000);
    expect(ran).toEqual(Array(6).fill('good'));
    isBroken = false;
    await clock.advanceBy(9_000);
    expect(ran).toContain('bad');
  });

  test('a settle whose answer was lost is not written twice, and nothing is called stale', async () => {
    rig.handle('work', () => undefined);
    await rig.engine.start();
    faulty.fail('settle', 'after');
    await rig.add({});
    await clock.advanceBy(1_000);
    expect(await ledger()).toHaveLength(1);
    expect(rig.told).not.toContain('run.stale');
  });

  test('a settle is repeated until it succeeds', async () => {
    rig.handle('work', () => undefined);
    await rig.engine.start();
    faulty.fail('settle', 'before', 'before', 'before');
    await rig.add({});
    await clock.advanceBy(5_000);
    expect(await ledger()).toHaveLength(1);
  });

  test('results that arrive during a settle are written together by the next one', async () => {
    rig = new EngineRig({ clock, storage: faulty.storage, options: { concurrency: 100 } });
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await rig.add(...Array.from({ length: 100 }, () => ({})));
    await clock.advanceBy(0);
    expect(await ledger()).toHaveLength(100);
    expect(faulty.calls.filter((call) => call === 'settle').length).toBeLessThan(5);
  });

  test('an idle engine makes less than one call a second', async () => {
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await clock.advanceBy(1_000);
    faulty.calls.length = 0;
    await clock.advanceBy(60_000);
    expect(faulty.calls.length).toBeLessThan(30);
  });

  describe('and whose lease cannot be renewed', () => {
    test('tells of a long run with each renewal until one has got through, and then no more', async () => {
      const told: (readonly string[] | undefined)[] = [];
      const renew = faulty.storage.renew.bind(faulty.storage);
      let mayPass = true;
      faulty.storage.renew = async (...args) => {
        told.push(args[3]);
        if (!mayPass) throw new Error('The answer is lost.');
        return renew(...args);
      };
      rig.handle('work', () => new Promise(() => undefined));
      await rig.engine.start();
      await rig.add({});
      await rig.settle();
      const { id } = (await faulty.storage.queryRuns({}, {})).items[0]!;
      await clock.advanceBy(4_000);
      mayPass = false;
      await clock.advanceBy(12_000);
      expect(told.at(-1)).toEqual([id]);
      mayPass = true;
      await clock.advanceBy(60_000);
      const withIt = told.filter((runIds) => runIds!.length > 0);
      expect(withIt.length).toBeGreaterThan(2);
      const last = told.lastIndexOf(withIt.at(-1));
      expect(last - told.indexOf(withIt[0])).toBe(withIt.length - 1);
      expect(told.length - last).toBeGreaterThan(3);
    });

    test('aborts its handlers before the storage lets others have their runs', async () => {
      let abortedAt: number | null = null;
      const start = clock.now();
      rig.handle('work', ({ signal }: RunContext) => {
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            abortedAt = clock.now() - start;
            reject(signal.reason as Error);
          });
        });
      });
      await rig.engine.start();
      await rig.add({});
      await rig.settle();
      faulty.goDown();
      await clock.advanceBy(29_000);
      expect(abortedAt).toBe(25_000);
      expect(rig.told).toContain('worker.lease-lost');
    });

    test('goes on as a new worker, which takes the lost runs over', async () => {
      const attempts: number[] = [];
      rig.handle('work', ({ attempt, signal }: RunContext) => {
        attempts.push(attempt);
        if (attempt > 1) return undefined;
        return new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        );
      });
      await rig.engine.start();
      const first = rig.engine.workerId;
      await rig.add({});
      await rig.settle();
      faulty.goDown();
      await clock.advanceBy(40_000);
      faulty.comeUp();
      await clock.advanceBy(15_000);
      expect(rig.engine.workerId).not.toBe(first);
      expect(attempts).toEqual([1, 2]);
      expect((await ledger()).map((row) => [row.outcome, row.final])).toEqual([
        ['succeeded', true],
        ['lost', false],
      ]);
    });

    test('takes a lost run over only when the handler that it has aborted has ended', async () => {
      rig = new EngineRig({ clock, storage: faulty.storage, options: { abortGraceMs: 60_000 } });
      const begun: [number, boolean][] = [];
      const start = clock.now();
      let isFirstOver = false;
      rig.handle('work', ({ attempt }: RunContext) => {
        begun.push([attempt, isFirstOver]);
        if (attempt > 1) return undefined;
        return new Promise<void>((resolve) =>
          clock.setTimer(70_000, () => {
            isFirstOver = true;
            resolve();
          }),
        );
      });
      await rig.engine.start();
      await rig.add({});
      await rig.settle();
      faulty.goDown();
      await clock.advanceBy(32_000);
      faulty.comeUp();
      await clock.advanceBy(start + 69_000 - clock.now());
      expect(rig.told).toContain('worker.lease-lost');
      expect(begun).toEqual([[1, false]]);
      await clock.advanceBy(5_000);
      expect(begun).toEqual([
        [1, false],
        [2, true],
      ]);
    });

    test('a success after the abort counts as long as nobody else has the run', async () => {
      let finish = (): void => undefined;
      rig.handle('work', () => new Promise<void>((resolve) => (finish = resolve)));
      await rig.engine.start();
      await rig.add({});
      await rig.settle();
      faulty.goDown();
      await clock.advanceBy(25_000);
      finish();
      faulty.comeUp();
      await clock.advanceBy(1_000);
      expect((await ledger()).map((row) => row.outcome)).toEqual(['succeeded']);
    });
  });
});

describe('two engines on one storage', () => {
  test('a worker that freezes past its lease cannot settle what another has taken over', async () => {
    const clock = new ManualClock();
    const storage = new MemoryStorage({ clock });
    const faulty = new FaultyStorage(storage);
    const frozen = new EngineRig({ clock, storage: faulty.storage });
    const healthy = new EngineRig({ clock, storage });
    let finish = (): void => undefined;
    frozen.handle('work', () => new Promise<void>((resolve) => (finish = resolve)));
    await frozen.engine.start();
    await frozen.add({ id: 'shared' });
    await frozen.settle();
    healthy.handle('work', () => new Promise(() => undefined));
    await healthy.engine.start();
    faulty.goDown();
    await clock.advanceBy(26_000);
    finish();
    await clock.advanceBy(6_000);
    expect(healthy.told).toContain('run.started');
    faulty.comeUp();
    await clock.advanceBy(10_000);
    const rows = (await storage.queryAttempts({}, {})).items;
    expect(rows.map((row) => row.outcome)).toEqual(['lost']);
    const [run] = (await storage.queryRuns({}, {})).items;
    expect(run).toMatchObject({ state: 'running', worker: healthy.engine.workerId });
    await frozen.stop(60_000);
    await healthy.stop(60_000);
  });

  test('share the work, each run once', async () => {
    const clock = new ManualClock();
    const storage = new MemoryStorage({ clock });
    const rigs = [1, 2, 3].map(() => new EngineRig({ clock, storage }));
    const ran: string[] = [];
    for (const rig of rigs) {
      rig.handle('work', ({ job, nominalAt }) => ran.push(`${job.id} ${nominalAt.toISOString()}`));
      await rig.engine.start();
    }
    const start = clock.now();
    await rigs[0]!.add(...Array.from({ length: 10 }, () => everyMs(start, 1_000)));
    await clock.advanceBy(20_000);
    expect(ran).toHaveLength(200);
    expect(new Set(ran).size).toBe(200);
    for (const rig of rigs) await rig.stop(60_000);
  });
});

describe('an engine whose storage has no wake signal', () => {
  test('knows of its own retries and of fixed delays without polling', async () => {
    const clock = new ManualClock();
    const memory = new MemoryStorage({ clock });
    const storage = new Proxy(memory, {
      get: (target, key) => {
        if (key === 'wakeSignal') return undefined;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const rig = new EngineRig({ clock, storage, options: { pollMs: 60_000 } });
    const start = clock.now();
    const ran: string[] = [];
    rig.handle('work', ({ job, attempt }: RunContext) => {
      ran.push(`${job.id} ${(clock.now() - start) / 1_000}`);
      if (job.id === 'retried' && attempt === 1) throw new Error('again');
    });
    await rig.engine.start();
    await rig.add(
      { id: 'retried', policies: { maxRetries: 1, backoff: { type: 'fixed', delayMs: 3_000 } } },
      {
        id: 'delayed',
        trigger: { type: 'interval', every: 4_000, mode: 'fixed-delay' },
        nextAt: start + 1_000,
      },
    );
    await clock.advanceBy(10_000);
    expect(ran).toEqual(['retried 0', 'delayed 1', 'retried 3', 'delayed 5', 'delayed 9']);
    await rig.stop(60_000);
  });
});

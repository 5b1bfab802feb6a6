import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { logSentences } from '../../lib/events/log.sentences.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { BoundedCache } from '../../lib/triggers/bounded.cache.js';
import { EngineRig, everyMs } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';

let clock: ManualClock;
let faulty: FaultyStorage;
let rig: EngineRig;
/** What is told as failing and not as recovered. */
let failing: Set<string>;
let everFailed: Set<string>;

beforeEach(() => {
  clock = new ManualClock();
  faulty = new FaultyStorage(new MemoryStorage({ clock }));
  rig = new EngineRig({ clock, storage: faulty.storage });
  failing = new Set();
  everFailed = new Set();
  rig.events.on('storage.failing', ({ operation }) => {
    failing.add(operation);
    everFailed.add(operation);
  });
  rig.events.on('storage.recovered', ({ operation }) => failing.delete(operation));
});

afterEach(async () => {
  faulty.comeUp();
  if (rig.engine.running) await rig.stop(120_000);
});

const pass = async (ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 1_000) await clock.advanceBy(1_000);
};

describe('what was told as failing is told as recovered', () => {
  test('also when the lease was lost meanwhile', async () => {
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await pass(3_000);
    await rig.add({});
    await rig.settle();
    faulty.goDown();
    rig.engine.wake();
    await pass(100_000);
    expect(rig.told).toContain('worker.lease-lost');
    expect([...everFailed]).toEqual(expect.arrayContaining(['work', 'renew', 'register', 'prune']));
    faulty.comeUp();
    await pass(180_000);
    expect([...failing]).toEqual([]);
  });

  test('by what has failed: where only the news did that come with a renewal, not the renewal', async () => {
    const { storage } = faulty;
    const renew = storage.renew.bind(storage);
    let failure: Error | undefined = new Error('Somebody has locked the table.');
    storage.renew = async (...args) => ({ ...(await renew(...args)), failure });
    await rig.handle('work', () => undefined).engine.start();
    await pass(25_000);
    expect([...failing]).toEqual(['read news']);
    failure = undefined;
    await pass(10_000);
    expect([...failing]).toEqual([]);
    expect([...everFailed]).toEqual(['read news']);
  });

  test('in the next round of the janitor', async () => {
    await rig.handle('work', () => undefined).engine.start();
    faulty.fail('prune', 'before');
    await pass(3_000);
    expect([...failing]).toEqual(['prune']);
    await pass(70_000);
    expect([...failing]).toEqual([]);
  });

  test('when another worker does it from now on', async () => {
    await rig.handle('work', () => undefined).engine.start();
    faulty.fail('prune', 'before');
    await pass(3_000);
    expect([...failing]).toEqual(['prune']);
    const { lock } = faulty.storage;
    lock.acquire = () => Promise.resolve(null);
    await pass(180_000);
    expect([...failing]).toEqual([]);
  });

  test('but not while it goes on failing', async () => {
    await rig.handle('work', () => undefined).engine.start();
    faulty.fail('prune', ...Array.from({ length: 6 }, () => 'before' as const));
    await pass(3_000);
    for (let minute = 0; minute < 4; minute++) {
      await pass(60_000);
      expect([...failing]).toEqual(['prune']);
    }
  });

  test.each([
    ['work', 'claim', 60_000],
    ['settle', 'settle', 60_000],
    ['renew', 'renew', 25_000],
  ] as const)(
    'but not while a try is under way, however long it takes: %s',
    async (operation, method, ms) => {
      const recovered: string[] = [];
      rig.events.on('storage.recovered', (event) => recovered.push(event.operation));
      const call = faulty.storage[method];
      const slowly = (): Promise<never> =>
        new Promise(
          (_, reject) => void clock.setTimer(4_000, () => reject(new Error('Somebody has locked it.'))),
        );
      Object.defineProperty(faulty.storage, method, { configurable: true, writable: true, value: slowly });
      await rig.handle('work', () => undefined).engine.start();
      await rig.add({});
      for (let passed = 0; passed < ms; passed += 1_000) {
        await pass(1_000);
        await rig.add({ nextAt: clock.now() + 3_600_000 });
      }
      expect(everFailed).toContain(operation);
      expect(recovered).toEqual([]);
      Object.assign(faulty.storage, { [method]: call });
      await pass(30_000);
      expect([...failing]).toEqual([]);
    },
  );

  test('as soon as it is, however long the loop then sleeps', async () => {
    rig = new EngineRig({ clock, storage: faulty.storage, options: { pollMs: 3_600_000 } });
    const told: string[] = [];
    rig.events.on('storage.failing', ({ operation }) => told.push(`${operation} fails`));
    rig.events.on('storage.recovered', ({ operation }) => told.push(`${operation} works`));
    await rig.handle('work', () => undefined).engine.start();
    await rig.settle();
    faulty.fail('nextWakeAt', 'before');
    rig.engine.wake();
    await pass(2_000);
    expect(told).toEqual(['work fails', 'work works']);
  });

  describe('the loop, by that of its steps which has failed, and not by the others', () => {
    let told: string[];
    const always = Array.from({ length: 1_000 }, () => 'before' as const);
    const ofLoop = () => told.splice(0).filter((line) => line.startsWith('work '));

    beforeEach(() => {
      told = [];
      rig.events.on('storage.failing', ({ operation }) => {
        if (told.at(-1) !== `${operation} fails`) told.push(`${operation} fails`);
      });
      rig.events.on('storage.recovered', ({ operation }) => told.push(`${operation} works`));
    });

    test.each([1, 12])('by a firing: of %i jobs', async (count) => {
      await rig.handle('work', () => undefined).engine.start();
      for (let i = 0; i < count; i++) await rig.add(everyMs(clock.now(), 1_000));
      await rig.settle();
      faulty.fail('fire', ...always);
      await pass(40_000);
      expect(new Set(ofLoop())).toEqual(new Set(['work fails']));
      expect([...failing]).toContain('work');
      faulty.relent('fire');
      await pass(10_000);
      expect(ofLoop()).toEqual(['work works']);
      await pass(20_000);
      expect([...failing]).toEqual([]);
    });

    test('by a claim, also where nothing is to be claimed any more', async () => {
      await rig.handle('work', () => undefined).engine.start();
      faulty.fail('claim', ...always);
      await rig.add({ id: 'job' });
      await pass(20_000);
      await rig.storage.cancelJob({ namespace: 'default', id: 'job' });
      await pass(20_000);
      expect(new Set(ofLoop())).toEqual(new Set(['work fails']));
      faulty.relent('claim');
      await pass(10_000);
      expect(ofLoop()).toEqual(['work works']);
    });

    test('until others have done it', async () => {
      await rig.handle('work', () => undefined).engine.start();
      await rig.add({ ...everyMs(clock.now(), 60_000), id: 'every minute' });
      faulty.fail('fire', ...always);
      await pass(62_000);
      expect([...failing]).toContain('work');
      await rig.storage.deleteJob({ namespace: 'default', id: 'every minute' });
      await pass(10_000);
      expect([...failing]).not.toContain('work');
    });
  });

  test('and the log says when it is tried again', () => {
    const say = (retryInMs: number): string =>
      logSentences['storage.failing']!({ operation: 'prune', error: new Error('No.'), retryInMs })!.text;
    expect(say(60_000)).toBe('The storage failed (prune): No. Trying again in 60 s.');
    expect(say(50)).toBe('The storage failed (prune): No. Trying until it answers.');
    expect(say(0)).toBe('The storage failed (prune): No. Going on without.');
  });
});

test('runs that go on for long are told of until the storage knows them', async () => {
  const renew = rig.storage.renew.bind(rig.storage);
  const told: (readonly string[])[] = [];
  Object.defineProperty(rig.storage, 'renew', {
    configurable: true,
    value: (...args: Parameters<typeof renew>) => {
      told.push(args[3] ?? []);
      return renew(...args);
    },
  });
  rig.handle('work', () => new Promise<void>((resolve) => void clock.setTimer(60_000, resolve)));
  await rig.engine.start();
  await rig.add({});
  await clock.advanceBy(6_000);
  faulty.fail('renew', 'before', 'before');
  await pass(50_000);
  const [run] = (await rig.storage.queryRuns({}, {})).items;
  // The two that failed did not get there; after that it is known.
  expect(told.filter((ids) => ids.includes(run!.id))).toHaveLength(1);
  await pass(20_000);
});

test('a cache that is full makes room for what is new, not for what it has', () => {
  const cache = new BoundedCache<number>(2);
  cache.set('a', 1);
  cache.set('b', 1);
  cache.set('a', 2);
  expect([cache.get('a'), cache.get('b')]).toEqual([2, 1]);
  cache.set('c', 1);
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([2, undefined, 1]);
});

import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChronisEventMap, ChronisEventName } from '../../lib/events/event.map.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, everyMs } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';

let clock: ManualClock;
let faulty: FaultyStorage;
let rig: EngineRig;
let failed: ChronisEventMap['engine.failed'][];
const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);

beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
  clock = new ManualClock();
  faulty = new FaultyStorage(new MemoryStorage({ clock }));
  rig = new EngineRig({ clock, storage: faulty.storage });
  failed = [];
  rig.events.on('engine.failed', (event) => failed.push(event));
});

afterEach(async () => {
  faulty.comeUp();
  await rig.end(120_000);
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

/** The next time that this is to be told, telling throws: as a fault of our own in the middle of a loop would. */
function throwWhenTold(name: ChronisEventName, operation: string): void {
  const emit = rig.events.emit.bind(rig.events);
  let thrown = false;
  rig.events.emit = (told, event) => {
    if (!thrown && told === name && (event as { operation: string }).operation === operation) {
      thrown = true;
      throw new Error(`A fault in ${operation}.`);
    }
    emit(told, event);
  };
}

describe('a part of the engine that ends by an exception is told, and begun anew:', () => {
  test('the loop that fires and claims', async () => {
    const ran: number[] = [];
    const start = clock.now();
    rig.handle('work', ({ nominalAt }) => ran.push((nominalAt.getTime() - start) / 1_000));
    await rig.engine.start();
    await rig.add(everyMs(start, 1_000, { policies: { overlap: 'allow', misfire: 'all' } }));
    await clock.advanceBy(2_000);
    throwWhenTold('storage.failing', 'work');
    faulty.fail('nextWakeAt', 'before');
    faulty.fail('fire', 'before');
    await clock.advanceBy(8_000);
    expect(failed).toEqual([{ part: 'work loop', error: new Error('A fault in work.') }]);
    expect(ran.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('the writing of results, which keeps what it has', async () => {
    rig.handle('work', () => undefined);
    await rig.engine.start();
    throwWhenTold('storage.failing', 'settle');
    faulty.fail('settle', 'before');
    await rig.add({}, {}, {});
    await clock.advanceBy(5_000);
    await rig.add({});
    await clock.advanceBy(1_000);
    expect(failed.map(({ part }) => part)).toEqual(['settling']);
    expect((await rig.storage.queryAttempts({}, {})).items.map(({ outcome }) => outcome)).toEqual(
      Array.from({ length: 4 }, () => 'succeeded'),
    );
  });

  test('the beats of the lease', async () => {
    rig.handle('work', () => undefined);
    await rig.engine.start();
    const worker = rig.engine.workerId;
    throwWhenTold('storage.failing', 'renew');
    faulty.fail('renew', 'before');
    await clock.advanceBy(120_000);
    expect(failed.map(({ part }) => part)).toEqual(['lease']);
    expect(rig.engine.workerId).toBe(worker);
    expect(rig.told).not.toContain('worker.lease-lost');
  });

  test('the rounds of the janitor', async () => {
    await rig.handle('work', () => undefined).engine.start();
    throwWhenTold('storage.failing', 'janitor');
    const { lock } = faulty.storage;
    const acquire = lock.acquire.bind(lock);
    let rounds = 0;
    lock.acquire = (...args) => {
      rounds++;
      return rounds === 1 ? Promise.reject(new Error('No lock.')) : acquire(...args);
    };
    await clock.advanceBy(200_000);
    expect(failed.map(({ part }) => part)).toEqual(['janitor']);
    expect(rounds).toBeGreaterThan(2);
  });

  test('a loss of the lease, which ends in a new one', async () => {
    await rig.handle('work', () => undefined).engine.start();
    const worker = rig.engine.workerId;
    throwWhenTold('storage.failing', 'register');
    faulty.goDown();
    await clock.advanceBy(40_000);
    faulty.comeUp();
    await clock.advanceBy(20_000);
    expect(failed.map(({ part }) => part)).toEqual(['loss of the lease']);
    expect(rig.engine.workerId).not.toBe(worker);
    await rig.add({});
    await clock.advanceBy(1_000);
    expect(rig.told).toContain('run.succeeded');
  });

  test('what a timer calls', async () => {
    await rig.handle('work', () => undefined).engine.start();
    const emit = rig.events.emit.bind(rig.events);
    rig.events.emit = (name, event) => {
      if (name === 'worker.lease-lost') throw new Error('A fault in a timer.');
      emit(name, event);
    };
    faulty.goDown();
    await clock.advanceBy(26_000);
    rig.events.emit = emit;
    faulty.comeUp();
    await clock.advanceBy(20_000);
    expect(failed.length).toBeGreaterThan(0);
    await rig.add({});
    await clock.advanceBy(1_000);
    expect(rig.told).toContain('run.succeeded');
  });

  test('what a signal of the storage sets off', async () => {
    let tell: ((wake: object) => void) | null = null;
    const { wakeSignal } = faulty.storage;
    const subscribe = wakeSignal!.subscribe.bind(wakeSignal);
    wakeSignal!.subscribe = (listener) => {
      tell = listener as never;
      return subscribe(listener);
    };
    await rig.handle('work', () => undefined).engine.start();
    const hostile = {
      get kind(): never {
        throw new Error('no kind');
      },
    };
    expect(() => tell!(hostile)).not.toThrow();
    expect(failed.map(({ part }) => part)).toEqual(['wake signal']);
  });
});

test('beats go on in the context of the engine, not of the request that asked for a cancel', async () => {
  const requests = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  faulty = new FaultyStorage(
    new Proxy(rig.storage, {
      get: (target, key) => {
        if (key !== 'renew') return Reflect.get(target, key, target) as unknown;
        return (...args: Parameters<StorageAdapter['renew']>) => {
          seen.push(requests.getStore());
          return target.renew(...args);
        };
      },
    }),
  );
  rig = new EngineRig({ clock, storage: faulty.storage });
  await rig.handle('work', () => undefined).engine.start();
  requests.run('request', () => rig.engine.wake({ kind: 'cancel' }));
  await clock.advanceBy(60_000);
  expect(seen.length).toBeGreaterThan(5);
  expect(new Set(seen)).toEqual(new Set([undefined]));
});

test('a start while the successor of a lost lease is being registered leaves one worker', async () => {
  await rig.handle('work', () => undefined).engine.start();
  faulty.goDown();
  await clock.advanceBy(26_000);
  expect(rig.told).toContain('worker.lease-lost');
  let answer = (): void => undefined;
  const held = new Promise<void>((resolve) => (answer = resolve));
  const register = rig.storage.register.bind(rig.storage);
  let calls = 0;
  // The first registration that arrives is answered late.
  Object.defineProperty(rig.storage, 'register', {
    configurable: true,
    value: async (...args: Parameters<typeof register>) => {
      if (++calls === 1) await held;
      return register(...args);
    },
  });
  faulty.comeUp();
  await clock.advanceBy(6_000);
  expect(calls).toBe(1);
  await rig.stop(60_000);
  await rig.engine.start();
  const worker = rig.engine.workerId;
  answer();
  await clock.advanceBy(1_000);
  expect(rig.engine.workerId).toBe(worker);
  const live = (await rig.storage.queryWorkers()).filter(
    ({ leaseUntil }) => leaseUntil.getTime() > clock.now(),
  );
  expect(live.map(({ id }) => id)).toEqual([worker]);
});

test('answers of a shape that an adapter must not give are told, and what comes next is done', async () => {
  const memory = new MemoryStorage({ clock });
  const giveBack = memory.giveBack.bind(memory);
  const releaseLost = memory.releaseLost.bind(memory);
  memory.giveBack = () => Promise.resolve(undefined as never);
  memory.releaseLost = () => Promise.resolve({ now: clock.now() } as never);
  rig = new EngineRig({ clock, storage: memory, options: { lookAheadMs: 5_000 } });
  rig.events.on('engine.failed', (event) => failed.push(event));
  const ran: string[] = [];
  rig.handle('work', ({ job }) => void ran.push(job.id));
  await rig.engine.start();
  await rig.add({ id: 'early', nextAt: clock.now() + 20 });
  await clock.advanceBy(15);
  rig.engine.wake();
  await clock.advanceBy(100_000);
  expect(new Set(failed.map(({ part }) => part))).toContain('release of lost runs');
  memory.giveBack = giveBack;
  memory.releaseLost = releaseLost;
  await clock.advanceBy(10_000);
  failed.splice(0);
  await rig.add({ id: 'later' });
  await clock.advanceBy(100_000);
  expect(ran).toContain('later');
  expect(failed).toEqual([]);
});

test('changes of what is offered are told one after the other, so that the last one stands', async () => {
  const memory = new MemoryStorage({ clock });
  const update = memory.updateWorker.bind(memory);
  const carriedOut: (readonly string[])[] = [];
  let calls = 0;
  memory.updateWorker = async (id, given) => {
    // The first is the slowest.
    await new Promise<void>((resolve) => void clock.setTimer(++calls === 1 ? 1_000 : 10, resolve));
    carriedOut.push(given.handlers);
    return update(id, given);
  };
  rig = new EngineRig({ clock, storage: memory });
  rig.handle('work', () => undefined).handle('other', () => undefined);
  await rig.engine.start();
  rig.handlers.withdraw(['work']);
  rig.handlers.withdraw(['other']);
  rig.handlers.offer(['work']);
  await clock.advanceBy(5_000);
  expect(carriedOut.at(-1)).toEqual(['work']);
  expect(carriedOut.length).toBeLessThanOrEqual(2);
});

test.each([
  ['nothing', () => undefined],
  ['an empty object', () => ({})],
  ['a list of what was taken', () => []],
])('an adapter whose answers are %s ends neither the engine nor the process', async (_, answer) => {
  const memory = new MemoryStorage({ clock });
  const storage = new Proxy(memory, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...args: unknown[]) => unknown;
      const isOfOld = ['giveBack', 'releaseLost', 'heldBy', 'updateWorker'].includes(key as string);
      if (!isOfOld) return call;
      return async (...args: unknown[]) => {
        await call(...args);
        return answer();
      };
    },
  });
  rig = new EngineRig({ clock, storage });
  rig.handle('work', () => undefined);
  await rig.engine.start();
  await memory.register(
    {
      ...{ id: 'dead', name: 'dead', app: 'test', generation: null, host: '', pid: 1, version: '0' },
      ...{ zoneData: '2026a', queues: ['default'], handlers: ['work'] },
      retention: { defaultMs: 86_400_000, byVerdict: {} },
    },
    1_000,
  );
  const claim = memory.claim.bind(memory);
  let failures = 1;
  memory.claim = async (...args) => {
    const result = await claim(...args);
    if (failures-- > 0) throw new Error('The answer was lost.');
    return result;
  };
  await rig.add({});
  await clock.advanceBy(5_000);
  rig.handle('more', () => undefined);
  await rig.add(everyMs(clock.now(), 1_000));
  await clock.advanceBy(120_000);
  expect((await memory.queryAttempts({}, { limit: 1_000 })).items.length).toBeGreaterThan(100);
  await rig.stop(60_000);
});

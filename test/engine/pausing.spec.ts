import { afterEach, expect, test } from 'vitest';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { Policies } from '../../lib/model/policies.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { PauseBarrier } from '../../lib/engine/pause.barrier.js';
import { claimedRun } from '../support/claimed-run.js';
import { EngineRig, everyMs } from '../support/engine.js';

let rig: EngineRig;
afterEach(() => rig.stop(60_000));

test.each([
  ['claim', {}, 'waiting'],
  ['fire', {}, 'waiting'],
  ['claim', { recovery: 'abandon' }, 'lost'],
] as [method: 'claim' | 'fire', policies: Partial<Policies>, state: string][])(
  'what a %s hands out whose answer comes after a pause does not begin: %o',
  async (method, policies, state) => {
    const clock = new ManualClock();
    const memory = new MemoryStorage({ clock });
    const { storage, answer } = holding(memory, method, ({ runs }) => runs!.length > 0);
    rig = new EngineRig({ clock, storage });
    const begun: string[] = [];
    rig.handle('work', ({ job }) => begun.push(job.id));
    rig.handle('other', ({ job }) => begun.push(job.id));
    await rig.engine.start();
    const due = method === 'fire' ? everyMs(clock.now(), 60_000, { nextAt: clock.now() }) : {};
    await rig.add({ id: 'stopped', ...due, policies }, { id: 'goes on', handler: 'other', ...due });
    await clock.advanceBy(1_000);
    expect(begun).toEqual([]);
    const pause = { kind: 'handler', name: 'work' } as const;
    await storage.pauseScope(pause, { reason: null, by: null });
    await rig.settle();
    answer();
    await clock.advanceBy(30_000);
    expect(begun).toEqual(['goes on']);
    expect((await memory.queryRuns({ jobId: 'stopped' }, {})).items).toMatchObject([{ state }]);
    if (state !== 'waiting') return;
    await storage.resumeScope(pause, ({ pausedFrom }) => ({ nextAt: pausedFrom, gap: null }));
    await clock.advanceBy(1_000);
    answer();
    await clock.advanceBy(1_000);
    expect(begun).toContain('stopped');
  },
);

test('calls that end between the same changes look for pauses once', async () => {
  const clock = new ManualClock();
  const storage = new MemoryStorage({ clock });
  const fire = storage.fire.bind(storage);
  const answers: (() => void)[] = [];
  storage.fire = async (...args) => {
    const result = await fire(...args);
    await new Promise<void>((resolve) => answers.push(resolve));
    return result;
  };
  let looks = 0;
  const queryPauses = storage.queryPauses.bind(storage);
  storage.queryPauses = () => {
    looks++;
    return queryPauses();
  };
  rig = new EngineRig({ clock, storage, options: { concurrency: 600 } });
  const begun = new Set<string>();
  rig.handle('work', ({ job }) => void begun.add(job.id));
  await rig.add(
    ...Array.from({ length: 500 }, (_, i) =>
      everyMs(clock.now(), 60_000, { id: `${i}`, nextAt: clock.now() }),
    ),
  );
  await rig.engine.start();
  await rig.settle();
  expect(answers).toHaveLength(2);
  await storage.pauseScope({ kind: 'queue', name: 'other' }, { reason: null, by: null });
  await rig.settle();
  for (const answer of answers) answer();
  await rig.settle();
  expect(begun.size).toBe(500);
  expect(looks).toBe(1);
});

test('what comes with an answer that took long is heard before anything of the answer begins', async () => {
  const clock = new ManualClock();
  const memory = new MemoryStorage({ clock });
  const held = holding(memory, 'claim', ({ runs }) => runs!.length > 0);
  rig = new EngineRig({ clock, storage: held.storage });
  const begun: string[] = [];
  rig.handle('work', ({ job }) => begun.push(job.id));
  await rig.engine.start();
  await rig.add({ id: 'stopped' });
  await clock.advanceBy(1_000);
  held.answer();
  // The same turn of the event loop.
  for (let n = 0; n < 100; n++) await Promise.resolve();
  await memory.pauseScope({ kind: 'handler', name: 'work' }, { reason: null, by: null });
  await clock.advanceBy(1_000);
  expect(begun).toEqual([]);
});

test('what a pause stops while something else of its claim goes back does not begin', async () => {
  const clock = new ManualClock();
  const memory = new MemoryStorage({ clock });
  const held = holding(memory, 'giveBack', () => true);
  rig = new EngineRig({ clock, storage: held.storage });
  const begun: string[] = [];
  rig.handle('work', ({ job }) => begun.push(job.id));
  // Both have been in the hands of a worker that has died, so one of them goes back.
  await rig.add(...['a', 'b'].map((id) => ({ id, policies: { maxLost: 2 } })));
  const places = { queues: ['default'], handlers: ['work'] };
  const told = {
    name: 'victim',
    app: 'test',
    generation: null,
    host: 'h',
    pid: 1,
    version: '1',
    zoneData: '',
    retention: null,
  };
  await memory.register({ id: 'victim', ...told, ...places }, 1_000);
  expect((await memory.claim({ workerId: 'victim', app: 'test', ...places }, 2)).runs).toHaveLength(2);
  await clock.advanceBy(2_000);
  await rig.engine.start();
  await clock.advanceBy(5_000);
  expect([begun, held.count]).toEqual([[], 1]);
  await memory.pauseScope({ kind: 'handler', name: 'work' }, { reason: null, by: null });
  await rig.settle();
  held.answer();
  await clock.advanceBy(10_000);
  expect(begun).toEqual([]);
});

test('what a pause stops that is told while pauses are looked at again does not begin', async () => {
  const clock = new ManualClock();
  const memory = new MemoryStorage({ clock });
  const claims = holding(memory, 'claim', ({ runs }) => runs!.length > 0);
  const looks = holding(claims.storage, 'queryPauses', () => true);
  rig = new EngineRig({ clock, storage: looks.storage });
  const begun: string[] = [];
  rig.handle('work', ({ job }) => begun.push(job.id));
  await rig.engine.start();
  await rig.add({ id: 'stopped' });
  await clock.advanceBy(1_000);
  rig.engine.wake();
  claims.answer();
  for (let look = 1; look <= 3; look++) {
    await clock.advanceBy(100);
    expect(looks.count).toBe(look);
    if (look < 3) rig.engine.wake();
    else await memory.pauseScope({ kind: 'handler', name: 'work' }, { reason: null, by: null });
    await rig.settle();
    looks.answer();
  }
  for (let n = 0; n < 10; n++) {
    await clock.advanceBy(1_000);
    looks.answer();
  }
  expect(begun).toEqual([]);
});

test('what must not run twice does not go back as its instant is less than a millisecond away', async () => {
  const barrier = new PauseBarrier({
    time: { hasReached: () => false },
    changes: () => 1,
    read: async () => [],
  });
  const once = claimedRun({ id: '1', policies: { recovery: 'abandon' } });
  const other = claimedRun({ id: '2' });
  expect(await barrier.sort([once, other], 0)).toMatchObject({
    begin: [{ id: '1' }],
    stopped: [{ id: '2' }],
  });
  // The hook ends one.
  rig = new EngineRig();
  await rig.engine.start();
});

/** A storage whose answers to one method are on their way until it is said that they arrive. */
function holding(
  memory: MemoryStorage,
  method: string,
  isHeld: (result: { runs?: unknown[] }) => boolean,
): { storage: MemoryStorage; answer: () => void; readonly count: number } {
  const waiting: (() => void)[] = [];
  let count = 0;
  const storage = new Proxy(memory, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...args: unknown[]) => Promise<{ runs?: unknown[] }>;
      if (key !== method) return call;
      return async (...args: unknown[]) => {
        const result = await call(...args);
        if (isHeld(result)) {
          count++;
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
        return result;
      };
    },
  });
  return {
    storage,
    answer: () => waiting.splice(0).forEach((resolve) => resolve()),
    get count() {
      return count;
    },
  };
}

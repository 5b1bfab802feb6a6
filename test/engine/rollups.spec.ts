import { afterEach, expect, test } from 'vitest';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { rebuildStatistics } from '../../lib/scheduler/statistics.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';

const minute = 60_000;
const day = 1_440 * minute;
const retention = { defaultMs: 30 * day, byVerdict: {} };
let rig: EngineRig;

afterEach(() => rig.stop(60_000));

function rigOf(statistics: boolean): { faulty: FaultyStorage; storage: MemoryStorage } {
  const clock = new ManualClock();
  const storage = new MemoryStorage({ clock });
  const faulty = new FaultyStorage(storage);
  rig = new EngineRig({ clock, storage: faulty.storage, options: { statistics, retention } });
  rig.handle('work', () => undefined);
  return { faulty, storage };
}

const pass = async (ms: number, step = 1_000): Promise<void> => {
  for (let passed = 0; passed < ms; passed += step) await rig.clock.advanceBy(step);
  await rig.settle();
};

async function countedIn({ rollups }: MemoryStorage): Promise<number[]> {
  const units = ['minute', 'hour', 'day'] as const;
  const pages = await Promise.all(
    units.map((unit) => rollups.queryRollups({ unit, from: 0, until: 4e12 }, { limit: 1_000 })),
  );
  return pages.map(({ items }) => items.reduce((sum, { attempts }) => sum + attempts, 0));
}

test('what has run is counted once a minute, and what ran before the first time as well', async () => {
  const { storage } = rigOf(false);
  await rig.engine.start();
  await rig.add({ id: 'before' });
  await pass(3 * minute);
  expect(await countedIn(storage)).toEqual([0, 0, 0]);
  await rig.stop(60_000);
  const { clock } = rig;
  rig = new EngineRig({ clock, storage, options: { statistics: true, retention } });
  await rig.handle('work', () => undefined).engine.start();
  await rig.add({ id: 'after' });
  await pass(3 * minute);
  expect(await countedIn(storage)).toEqual([2, 2, 2]);
});

test('a process without statistics asks nothing for them', async () => {
  const { faulty } = rigOf(false);
  await rig.engine.start();
  await pass(5 * minute);
  expect(faulty.calls).toContain('prune');
  expect(await rig.storage.lock.inspect('chronis:statistics')).toBeNull();
});

test('rows that come late are counted: within a quarter of an hour at once, else when the day is over', async () => {
  const { storage } = rigOf(true);
  await rig.engine.start();
  await rig.add({ id: 'in time' });
  await pass(3 * minute);
  const { tables } = storage as unknown as { tables: { ledger: { finishedAt: Date }[] } };
  const late = (byMs: number): number =>
    tables.ledger.push({ ...tables.ledger[0]!, finishedAt: new Date(rig.clock.now() - byMs) });
  await pass(60 * minute, 5_000);
  late(10 * minute);
  await pass(3 * minute);
  expect(await countedIn(storage)).toEqual([2, 2, 2]);
  late(40 * minute);
  await pass(3 * minute);
  expect(await countedIn(storage)).toEqual([2, 2, 2]);
  await pass(day + 60 * minute, 20_000);
  expect(await countedIn(storage)).toEqual([3, 3, 3]);
});

test('what is made anew on demand is what the ledger has', async () => {
  const { storage } = rigOf(false);
  await rig.engine.start();
  await rig.add({ id: 'a' }, { id: 'b' });
  await pass(3 * minute);
  const parts = { storage, timeZone: 'UTC', retention };
  const from = rig.clock.now() - day;
  const rebuilt = await rebuildStatistics({ from }, parts);
  expect(rebuilt.hours).toBeGreaterThan(0);
  expect(await countedIn(storage)).toEqual([2, 2, 2]);
  expect(await rebuildStatistics({ from }, parts)).toEqual(rebuilt);
  expect(await countedIn(storage)).toEqual([2, 2, 2]);
});

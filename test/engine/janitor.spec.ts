import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaultyStorage } from '../support/faulty.storage.js';
import { OffsetClock } from '../support/offset.clock.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import type { StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { EngineRig } from '../support/engine.js';

const minute = 60_000;
let rig: EngineRig;
let faulty: FaultyStorage;

beforeEach(async () => {
  const clock = new ManualClock();
  faulty = new FaultyStorage(new MemoryStorage({ clock }));
  rig = new EngineRig({ clock, storage: faulty.storage, options: { concurrency: 1 } });
});
afterEach(() => rig.stop(60_000));

const pass = async (ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 1_000) await rig.clock.advanceBy(1_000);
  await rig.settle();
};

test('puts off runs that no live worker can execute soon after the start, all of them, and tells which', async () => {
  const told: unknown[] = [];
  rig.events.on('runs.deferred', (deferral) => told.push(deferral));
  await rig.handle('work', () => undefined).engine.start();
  await rig.add({ handler: 'nobody' }, { handler: 'nobody' });
  await pass(3_000);
  expect(told).toEqual([{ app: null, handler: 'nobody', queue: 'default', runs: 2 }]);
});

test('what was put off begins at once in a process that comes with the handler', async () => {
  await rig.handle('work', () => undefined).engine.start();
  await rig.add({ handler: 'new', id: 'of the new release' });
  await pass(3_000);
  expect(rig.told).toContain('runs.deferred');
  const ran: string[] = [];
  const { clock, storage } = rig;
  const release = new EngineRig({ clock, storage });
  release.handle('new', ({ job }: { job: { id: string } }) => ran.push(job.id));
  await release.engine.start();
  await release.settle();
  expect(ran).toEqual(['of the new release']);
  await release.stop();
});

test('a run of low priority does not starve behind ones that keep coming', async () => {
  const ran: string[] = [];
  let serial = 0;
  rig.handle('work', async ({ job }: { job: { id: string } }) => {
    ran.push(job.id);
    // There is always a run of the highest priorities that waits.
    await rig.add({ id: `busy ${++serial}`, priority: 3 });
    await new Promise<void>((resolve) => rig.clock.setTimer(5_000, resolve));
  });
  await rig.add({ id: 'patient', priority: 6 }, { id: 'busy', priority: 3 });
  await rig.engine.start();
  await pass(2 * minute);
  expect(ran).not.toContain('patient');
  await pass(4 * minute);
  expect(ran).toContain('patient');
  expect(rig.told).toContain('runs.lifted');
});

test('tells what it has deleted', async () => {
  const retention = { defaultMs: 3 * minute, byVerdict: { succeeded: minute } };
  rig = new EngineRig({ clock: rig.clock, storage: faulty.storage, options: { retention } });
  const told: unknown[] = [];
  rig.events.on('record.pruned', (forgotten) => told.push(forgotten));
  await rig.handle('work', () => undefined).engine.start();
  await rig.add({});
  await pass(minute);
  expect(told).toEqual([]);
  await pass(minute);
  expect(told).toEqual([{ attempts: 1, days: 0, gaps: 0, jobs: 0, deadLetters: 0 }]);
});

test('each step is tried alone: one that fails does not keep the others from their work', async () => {
  await rig.handle('work', () => undefined).engine.start();
  faulty.fail('deferStranded', 'before');
  faulty.fail('orphanUndeclared', 'before');
  await pass(3_000);
  expect(faulty.calls).toEqual(
    expect.arrayContaining(['orphanUndeclared', 'deferStranded', 'liftOverdue', 'prune']),
  );
  expect(rig.told.filter((name) => name === 'storage.failing')).toHaveLength(2);
  await pass(minute);
  expect(faulty.calls.filter((name) => name === 'deferStranded')).toHaveLength(2);
});

test('tells by its id of a row that the storage does not let go, and goes on', async () => {
  const memory = new MemoryStorage({ clock: rig.clock });
  let prunings = 0;
  const refused = [{ row: 'gap 3', error: new Error('no'), retryInMs: 10 * minute }];
  const prune: StorageAdapter['prune'] = async (...given) => ({
    ...(await memory.prune(...given)),
    attempts: 2,
    ...(prunings++ === 0 && { refused, more: true }),
  });
  const storage = new Proxy<StorageAdapter>(memory, {
    get: (target, key) => {
      if (key === 'prune') return prune;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  rig = new EngineRig({ clock: rig.clock, storage });
  const told: unknown[] = [];
  rig.events.on('storage.failing', ({ operation, retryInMs }) => told.push([operation, retryInMs]));
  rig.events.on('record.pruned', ({ attempts, ...rest }) => told.push([attempts, 'refused' in rest]));
  await rig.handle('work', () => undefined).engine.start();
  await pass(3_000);
  expect(told).toEqual([
    ['forget gap 3', 10 * minute],
    [2, false],
    [2, false],
  ]);
});

test('deletes nothing by a clock that is wrong for some rounds, and tells it once', async () => {
  const clock = new ManualClock();
  const server = new OffsetClock(clock);
  rig = new EngineRig({
    clock,
    storage: new MemoryStorage({ clock: server }),
    options: { janitorMs: minute },
  });
  rig.handle('work', () => undefined);
  await rig.engine.start();
  await rig.add({});
  await clock.advanceBy(5 * minute);
  server.offsetMs = 400 * 24 * 60 * minute;
  await clock.advanceBy(5 * minute);
  server.offsetMs = 0;
  await clock.advanceBy(5 * minute);
  expect((await rig.storage.queryAttempts({}, {})).items).toHaveLength(1);
  expect(rig.told.filter((name) => name === 'record.withheld')).toHaveLength(1);
  expect(rig.told).not.toContain('record.pruned');
});

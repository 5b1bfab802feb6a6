import { expect, test } from 'vitest';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, newJob } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';

const trigger = { type: 'cron' as const, expression: '0 9 * * *', timeZone: 'Europe/Lisbon' };

test('next times that were computed with older zone data are computed anew, and it is told', async () => {
  const clock = new ManualClock('2026-06-01T12:00:00Z');
  const storage = new MemoryStorage({ clock });
  const older = new EngineRig({ clock, storage, options: { zoneData: '2020a' } });
  const newer = new EngineRig({ clock, storage, options: { zoneData: '2026a' } });
  for (const rig of [older, newer]) rig.handle('work', () => undefined);
  // As if Lisbon had no summer time by the older data: 09:00 there would be 09:00Z.
  await storage.insertJobs(
    [
      newJob(clock.now(), { id: 'wrong', trigger, nextAt: Date.parse('2026-06-02T09:00:00Z') }),
      newJob(clock.now(), { id: 'right', trigger, nextAt: Date.parse('2026-06-02T08:00:00Z') }),
    ],
    'raise',
  );
  const told: unknown[] = [];
  newer.events.on('schedules.recomputed', (event) => told.push(event));
  newer.events.on('zone-data.differs', (event) => told.push(event));
  await older.engine.start();
  await newer.engine.start();
  expect(told).toEqual([
    { from: '2020a', to: '2026a', moved: [{ namespace: 'default', id: 'wrong' }] },
    { own: '2026a', others: ['2020a'] },
  ]);
  for (const id of ['wrong', 'right']) {
    const job = await storage.getJob({ namespace: 'default', id });
    expect(job?.nextRunAt).toEqual(new Date('2026-06-02T08:00:00Z'));
  }
  await older.stop(60_000);
  await newer.stop(60_000);
});

test('what a start could not do is done later, and told as recovered only then', async () => {
  const clock = new ManualClock('2026-06-01T12:00:00Z');
  const faulty = new FaultyStorage(new MemoryStorage({ clock }));
  const options = { zoneData: '2020a', janitorMs: 60_000 };
  const older = new EngineRig({ clock, storage: faulty.storage, options });
  await older.engine.start();
  await older.stop(60_000);
  const rig = new EngineRig({ clock, storage: faulty.storage, options: { ...options, zoneData: '2026a' } });
  // Another one has the janitor's lock of this app.
  await faulty.storage.lock.acquire('chronis:janitor:test', 'other', 3_600_000);
  const told: string[] = [];
  rig.events.on('storage.failing', ({ operation }) => told.push(`failing: ${operation}`));
  rig.events.on('storage.recovered', ({ operation }) => told.push(`recovered: ${operation}`));
  rig.events.on('schedules.recomputed', ({ from, to }) => told.push(`${from} -> ${to}`));
  faulty.fail('recomputeCursors', 'before', 'before');
  faulty.fail('queryWorkers', 'before');
  await rig.engine.start();
  for (let passed = 0; passed < 30_000; passed += 1_000) await clock.advanceBy(1_000);
  expect(told).toEqual([
    'failing: zone data',
    'failing: look around',
    'failing: zone data',
    'recovered: look around',
  ]);
  for (let passed = 0; passed < 60_000; passed += 1_000) await clock.advanceBy(1_000);
  expect(told.slice(4)).toEqual(['2020a -> 2026a', 'recovered: zone data']);
  const calls = faulty.calls.filter((call) => call === 'recomputeCursors').length;
  await clock.advanceBy(180_000);
  expect(faulty.calls.filter((call) => call === 'recomputeCursors')).toHaveLength(calls);
  await rig.stop(60_000);
});

test('a start goes on without what it can do without, and tells so', async () => {
  const clock = new ManualClock();
  const faulty = new FaultyStorage(new MemoryStorage({ clock }));
  const rig = new EngineRig({ clock, storage: faulty.storage, options: { zoneData: '2026a' } });
  const failed: string[] = [];
  rig.events.on('storage.failing', ({ operation }) => failed.push(operation));
  faulty.fail('recomputeCursors', 'before');
  faulty.fail('queryWorkers', 'before');
  await rig.engine.start();
  expect(failed).toEqual(['zone data', 'look around']);
  await rig.stop(60_000);
});

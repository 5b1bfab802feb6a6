import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NewJob } from '../../lib/ports/storage.adapter.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, newJob } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';

const workers = 20;
let clock: ManualClock;
let storage: MemoryStorage;
let crowd: { rig: EngineRig; calls: string[] }[];
let ran: string[];
let longestWaitMs: number;

beforeEach(async () => {
  clock = new ManualClock();
  storage = new MemoryStorage({ clock });
  ran = [];
  longestWaitMs = 0;
  crowd = Array.from({ length: workers }, () => {
    const seen = new FaultyStorage(storage);
    const rig = new EngineRig({ clock, storage: seen.storage });
    rig.handle('work', ({ job, nominalAt }: { job: { id: string }; nominalAt: Date }) => {
      ran.push(job.id);
      longestWaitMs = Math.max(longestWaitMs, clock.now() - nominalAt.getTime());
    });
    return { rig, calls: seen.calls };
  });
  for (const { rig } of crowd) await rig.engine.start();
  await clock.advanceBy(1_000);
});
afterEach(() => Promise.all(crowd.map(({ rig }) => rig.stop())));

const statements = (): number => crowd.reduce((sum, { calls }) => sum + calls.length, 0);

/** By a process that runs none. */
async function add(given: Partial<NewJob>): Promise<void> {
  await storage.insertJobs([newJob(clock.now(), given)], 'raise');
}

async function addEvery(ms: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await add({ id: `job ${i}` });
    await clock.advanceBy(ms);
  }
}

test('twenty workers that are told of each of many jobs do not all ask for each of them', async () => {
  const before = statements();
  await addEvery(2, 500);
  expect(ran).toHaveLength(500);
  expect(longestWaitMs).toBeLessThanOrEqual(50);
  // A claim and a settlement for each job, and of each of the others some thirty claims in this second.
  expect(statements() - before).toBeLessThan(500 * 2 + workers * 40);
});

test('a claim that comes too late is not followed by a look', async () => {
  const looks = (): number =>
    crowd.reduce((sum, { calls }) => sum + calls.filter((name) => name === 'nextWakeAt').length, 0);
  const before = looks();
  await addEvery(0, 10);
  expect(ran).toHaveLength(10);
  expect(looks()).toBe(before);
});

test('a job of later starts at its time though others were told of since', async () => {
  const dueAt = clock.now() + 2_000;
  await add({ id: 'later', nextAt: dueAt });
  await addEvery(1, 20);
  await clock.advanceBy(dueAt - clock.now() - 1);
  expect(ran).not.toContain('later');
  await clock.advanceBy(1);
  expect(ran).toContain('later');
});

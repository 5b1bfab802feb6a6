import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeclaredJob } from '../../lib/discovery/declared.job.js';
import { JobLists } from '../../lib/discovery/job.lists.js';
import { JobSynchronizer } from '../../lib/discovery/job.synchronizer.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { definitionHash } from '../../lib/scheduler/definition.hash.js';
import { defineJob } from '../../lib/scheduler/job.definition.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';

const syncMs = 600;
const instances = 200;

let clock: ManualClock;
let memory: MemoryStorage;
let syncs: number;
let rigs: EngineRig[];

beforeEach(() => {
  clock = new ManualClock();
  memory = new MemoryStorage({ clock });
  syncs = 0;
  rigs = [];
});

afterEach(async () => {
  const stops = rigs.map((rig) => rig.engine.stop());
  await clock.advanceBy(1_000);
  await Promise.all(stops);
});

function declared(id: string): DeclaredJob {
  const input = {
    id,
    handler: `${id}.run`,
    trigger: { type: 'cron', expression: '0 3 * * *' } as const,
    options: {},
  };
  const given = { timeZone: 'UTC', payloadLimit: 1_000, calendars: {} };
  const definition = defineJob(input, given, clock.now());
  return { definition, hash: definitionHash(definition), previousIds: [], place: `${id}.run` };
}

/** The storage as instances far away see it: a sync takes its time. `forgets`: it never knows that a set is synced. */
function slow({ forgets = false } = {}): StorageAdapter {
  return new Proxy<StorageAdapter>(memory, {
    get: (target, key) => {
      if (forgets && key === 'syncedSet') return async () => null;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        if (key !== 'syncDefinitions') return Reflect.apply(value, target, args) as unknown;
        syncs++;
        await new Promise<void>((resolve) => void clock.setTimer(syncMs, resolve));
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}

function boot(storage: StorageAdapter, jobs: readonly DeclaredJob[]): Promise<void> {
  const rig = new EngineRig({ clock, storage });
  const synchronizer = new JobSynchronizer(
    {
      storage,
      lock: storage.lock,
      clock,
      events: rig.events,
      random: () => 0.5,
      lists: new JobLists(),
      explore: () => ({
        jobs,
        handlers: [],
        workflows: [],
        repeated: [],
        unapplied: [],
        unmarked: [],
        minified: [],
      }),
      workerId: () => rig.engine.workerId,
      onChange: () => undefined,
    },
    {
      app: 'test',
      previousApps: [],
      orphans: 'keep',
      orphanGraceMs: 600_000,
      calendars: {},
      lists: new JobLists(),
    },
  );
  return rig.engine.start(synchronizer).then(() => void rigs.push(rig));
}

/** Boots all at once; returns how long the last one took. */
async function bootAll(storage: StorageAdapter, jobs: readonly DeclaredJob[]): Promise<number> {
  const since = clock.now();
  let done = false;
  const booted = Promise.all(Array.from({ length: instances }, () => boot(storage, jobs))).finally(
    () => (done = true),
  );
  booted.catch(() => undefined);
  while (!done) await clock.advanceBy(500);
  await booted;
  return clock.now() - since;
}

describe('two hundred instances that start at once', () => {
  test('with the set that runs already: none takes the lock, and none waits', async () => {
    const jobs = Array.from({ length: 20 }, (_, i) => declared(`job-${i}`));
    const first = boot(slow(), jobs);
    await clock.advanceBy(2_000);
    await first;
    expect(syncs).toBe(1);
    await memory.lock.acquire('chronis:sync:test', 'somebody else', 3_600_000);
    expect(await bootAll(slow(), jobs)).toBeLessThan(1_000);
    expect(syncs).toBe(1);
    const generations = new Set((await memory.queryWorkers()).map(({ generation }) => generation));
    expect(generations).toEqual(new Set([1]));
  });

  test('with a set that is new: they wait for the first only', async () => {
    expect(await bootAll(slow(), [declared('a'), declared('b')])).toBeLessThan(5_000);
    expect(syncs).toBe(1);
  });

  test('on a storage where each needs the lock: all start, late as that may be, and none loses its lease', async () => {
    const took = await bootAll(slow({ forgets: true }), [declared('a')]);
    expect(syncs).toBe(instances);
    expect(took).toBeGreaterThan(100_000);
    await clock.advanceBy(2_000);
    expect(rigs).toHaveLength(instances);
    for (const rig of rigs) expect(rig.told).not.toContain('worker.lease-lost');
    expect(
      (await memory.queryWorkers()).filter(({ leaseUntil }) => leaseUntil.getTime() > clock.now()),
    ).toHaveLength(instances);
  });
});

test('a set that is known but not what is stored is synced', async () => {
  const storage = slow();
  const start = async (jobs: readonly DeclaredJob[]): Promise<void> => {
    const booting = boot(storage, jobs);
    await clock.advanceBy(2_000);
    await booting;
  };
  await start([declared('a')]);
  expect(syncs).toBe(1);
  await memory.deleteJob({ namespace: 'default', id: 'a' });
  await start([declared('a')]);
  expect(syncs).toBe(2);
  expect(await memory.getJob({ namespace: 'default', id: 'a' })).not.toBeNull();
});

test('a process that stops while it syncs gives its lock back first, or nobody could sync until its lease is over', async () => {
  const storage = slow();
  for (const id of ['a', 'b']) {
    const booting = boot(storage, [declared(id)]);
    await clock.advanceBy(2_000);
    await booting;
  }
  const [old, canary] = rigs;
  await canary!.engine.stop();
  // The other one follows within half a second.
  for (let ms = 0; syncs < 3 && ms < 1_000; ms += 50) await clock.advanceBy(50);
  expect(syncs).toBe(3);
  const isHeld = async (): Promise<boolean> => (await memory.lock.inspect('chronis:sync:test')) !== null;
  expect(await isHeld()).toBe(true);
  let wasHeld: boolean | null = null;
  const stopped = old!.engine.stop().then(async () => (wasHeld = await isHeld()));
  await clock.advanceBy(2_000);
  await stopped;
  expect(wasHeld).toBe(false);
  rigs = [];
});

import type { Type } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  Cron,
  Interval,
  JobHandler,
  JobIdTakenError,
  MemoryStorage,
  type ChronisModuleOptions,
  type Gap,
  type Job,
} from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';
import { release } from '../support/release.js';

const seconds = 1_000;
const minutes = 60 * seconds;

let clock: ManualClock;
let storage: MemoryStorage;
/** Who ran what at which second since the begin: `v1 daily 60`. */
let ran: string[];
const live = new Map<string, NestApp>();

beforeEach(() => {
  clock = new ManualClock();
  storage = new MemoryStorage({ clock });
  ran = [];
  since = clock.now();
});

afterEach(async () => {
  for (const app of live.values()) await app.close();
  live.clear();
});

let since = 0;

/** Starts an instance of this name with what the one service of its code declares. */
async function start(
  name: string,
  methods: Record<string, MethodDecorator[]>,
  chronis: ChronisModuleOptions = {},
): Promise<NestApp> {
  const note = (method: string): void =>
    void ran.push(`${name} ${method} ${Math.round((clock.now() - since) / seconds)}`);
  const jobs: Type = release(methods, note);
  const app = await NestApp.boot({ providers: [jobs], chronis, clock, storage });
  live.set(name, app);
  return app;
}

async function stop(name: string): Promise<void> {
  const app = live.get(name)!;
  live.delete(name);
  await app.close();
}

/** What has run within this time. */
async function during(ms: number): Promise<string[]> {
  ran.length = 0;
  await clock.advanceBy(ms);
  // What is due at the last moment takes some turns.
  for (let turn = 0; turn < 40; turn++) await clock.advanceBy(0);
  return [...ran];
}

const job = async (id: string): Promise<Job | null> => storage.getJob({ namespace: 'default', id });
const gaps = async (jobId: string): Promise<Gap[]> => (await storage.queryGaps({ jobId }, {})).items;

/** Each instant is run or in a gap, and none of a method is run twice. */
function instantsOf(method: string): number[] {
  return ran.flatMap((line) => {
    const [second, name] = line.split(' ').toReversed();
    return name === method ? [Number(second)] : [];
  });
}

describe('while releases run side by side', () => {
  const every = (expression: string, id = 'a', more = {}): MethodDecorator[] => [
    Cron(expression, { id, ...more }),
  ];

  test('a boot that is refused has changed nothing (B)', async () => {
    const first = await start('v1', { a: every('0 0 1 * * *') });
    await first.scheduler.createCronJob({ id: 'taken', expression: '0 0 4 * * *', handler: 'Jobs.a' });
    const [before, workers] = [await storage.queryJobs({}, {}), await storage.queryWorkers()];
    const refused = start('v2', { a: every('* * * * * *'), t: every('0 0 3 * * *', 'taken') });
    await expect(refused).rejects.toThrow(JobIdTakenError);
    expect(await storage.queryJobs({}, {})).toEqual(before);
    expect(await storage.queryWorkers()).toEqual(workers);
    expect(await during(2 * minutes)).toEqual([]);
    expect(first.heard('jobs.synced')).toHaveLength(1);
  });

  test('a canary that is taken back leaves its schedule, and the old instance, never restarted, its own (C)', async () => {
    const old = await start('v1', { a: every('*/10 * * * * *', 'a', { payload: 'old' }) });
    await start('canary', { a: every('*/2 * * * * *', 'a', { payload: 'new' }) });
    await during(11 * seconds);
    expect(instantsOf('a')).toEqual([2, 4, 6, 8, 10]);
    await stop('canary');
    expect((await during(50 * seconds)).every((line) => line.startsWith('v1'))).toBe(true);
    expect(instantsOf('a')).toEqual([20, 30, 40, 50, 60]);
    expect(await job('a')).toMatchObject({ payload: 'old' });
    expect(old.heard('jobs.synced').at(-1)).toMatchObject({ changed: [{ id: 'a' }], outranked: [] });
  });

  test('a canary that dies is followed when its lease is over (C)', async () => {
    await start('v1', { a: every('*/10 * * * * *') });
    const canary = { a: every('*/2 * * * * *') };
    // Another adapter, which a crash leaves behind with a worker that renews nothing.
    const crashed = await NestApp.boot({ providers: [release(canary)], clock, storage });
    await clock.advanceBy(5 * seconds);
    const id = (await storage.queryWorkers()).find(({ generation }) => generation === 2)!.id;
    await crashed.storage.close();
    await clock.advanceBy(45 * seconds);
    expect(
      (await storage.queryWorkers()).some(
        (worker) => worker.id === id && worker.leaseUntil.getTime() > clock.now(),
      ),
    ).toBe(false);
    expect((await job('a'))!.trigger).toMatchObject({ expression: '*/10 * * * * *' });
    live.set('crashed', crashed);
  });

  test('a rename that is taken back is renamed back, with counters and history, and its method is run throughout (C)', async () => {
    await start('v1', { clean: every('*/10 * * * * *', 'clean-up') });
    await during(20 * seconds);
    const { createdAt } = (await job('clean-up'))!;
    await start('canary', { clean: every('*/10 * * * * *', 'tidy', { previousIds: ['clean-up'] }) });
    expect(await job('clean-up')).toBeNull();
    expect(await job('tidy')).toMatchObject({ runCount: 2, createdAt });
    await during(20 * seconds);
    expect(instantsOf('clean')).toEqual([30, 40]);
    await stop('canary');
    await during(20 * seconds);
    expect(instantsOf('clean')).toEqual([50, 60]);
    expect(await job('tidy')).toBeNull();
    expect(await job('clean-up')).toMatchObject({ runCount: 6, createdAt, orphanedAt: null });
    await start('v2', { clean: every('*/10 * * * * *', 'tidy', { previousIds: ['clean-up'] }) });
    expect(await job('tidy')).toMatchObject({ runCount: 6, createdAt });
  });

  test('a changed id never has its method run under both, nor an instant twice, during the roll-out and after (D)', async () => {
    await start('v1', { daily: every('*/10 * * * * *', 'old-id') });
    await during(5 * seconds);
    await start('v2', { daily: every('*/10 * * * * *', 'new-id') });
    await during(60 * seconds);
    expect(instantsOf('daily')).toEqual([10, 20, 30, 40, 50, 60]);
    expect(await job('old-id')).toMatchObject({ state: 'orphaned', runCount: 0 });
    expect(await gaps('old-id')).toMatchObject([{ reason: 'superseded', until: null }]);
    await stop('v1');
    await during(15 * minutes);
    expect(new Set(instantsOf('daily')).size).toBe(90);
    expect(instantsOf('daily')).toHaveLength(90);
    expect((await job('old-id'))!.runCount).toBe(0);
  });

  test('a changed id that is taken back goes on from now, and what ran meanwhile is a gap (D)', async () => {
    await start('v1', { daily: every('*/10 * * * * *', 'old-id') });
    await during(15 * seconds);
    await start('canary', { daily: every('*/10 * * * * *', 'new-id') });
    await during(30 * seconds);
    expect(instantsOf('daily')).toEqual([20, 30, 40]);
    await stop('canary');
    await during(30 * seconds);
    expect(instantsOf('daily')).toEqual([50, 60, 70]);
    expect(await job('old-id')).toMatchObject({ runCount: 4, orphanedAt: null });
    expect(await job('new-id')).toMatchObject({ runCount: 3, state: 'orphaned' });
    const [gap] = await gaps('old-id');
    expect(gap).toMatchObject({ verdict: 'missed', reason: 'superseded', count: 3 });
    expect([gap!.from, gap!.until]).toEqual([20, 40].map((second) => new Date(since + second * seconds)));
  });

  test('an instant that was fired ahead under the old id is not run again under the new one (D)', async () => {
    await start('v1', { daily: every('*/10 * * * * *', 'old-id') });
    await during(9_900);
    await start('v2', { daily: every('*/10 * * * * *', 'new-id') });
    await during(30 * seconds);
    expect(instantsOf('daily')).toEqual([10, 20, 30]);
  });

  test('A, B, then A again: an instance of A that restarts while B is there brings nothing new', async () => {
    const [a, b] = [every('0 * * * * *'), every('30 * * * * *')];
    await start('a', { a });
    await start('b', { a: b });
    await stop('a');
    await start('a', { a });
    expect((await job('a'))!.trigger).toMatchObject({ expression: '30 * * * * *' });
    await stop('b');
    await clock.advanceBy(seconds);
    expect((await job('a'))!.trigger).toMatchObject({ expression: '0 * * * * *' });
  });

  test('A, B, then A again after ten minutes without it: A is in force at once, and a B that restarts changes nothing', async () => {
    const [a, b] = [every('0 * * * * *'), every('30 * * * * *')];
    await start('a', { a });
    await start('b', { a: b });
    await stop('a');
    await clock.advanceBy(11 * minutes);
    await start('a again', { a });
    expect((await job('a'))!.trigger).toMatchObject({ expression: '0 * * * * *' });
    await stop('b');
    const late = await start('b', { a: b });
    await clock.advanceBy(seconds);
    expect((await job('a'))!.trigger).toMatchObject({ expression: '0 * * * * *' });
    expect(late.heard('jobs.synced')).toMatchObject([{ outranked: [{ id: 'a' }] }]);
    await stop('a again');
    await clock.advanceBy(seconds);
    expect((await job('a'))!.trigger).toMatchObject({ expression: '30 * * * * *' });
  });

  test('an unchanged release takes no lock, and syncs nothing', async () => {
    const methods = { a: every('0 * * * * *'), b: every('0 * * * * *', 'b') };
    await start('first', methods);
    await storage.lock.acquire('chronis:sync:default', 'somebody', 60 * minutes);
    const before = await storage.queryJobs({}, {});
    for (let nth = 0; nth < 20; nth++) await start(`instance ${nth}`, methods);
    expect(await storage.queryJobs({}, {})).toEqual(before);
    expect(live.get('instance 7')!.heard('jobs.synced')).toMatchObject([{ declared: 2, created: [] }]);
    await during(minutes);
    expect(instantsOf('a')).toEqual([60]);
  });

  test('a job that only replicas with another configuration declare otherwise is as the latest one says, without flapping', async () => {
    await start('one', { a: every('5 * * * * *') });
    await start('two', { a: every('10 * * * * *') });
    await during(5 * minutes);
    expect(new Set(instantsOf('a').map((second) => second % 60))).toEqual(new Set([10]));
    const told = [...live.values()].flatMap((app) => app.heard('jobs.synced'));
    expect(told.filter(({ changed }) => changed.length > 0)).toHaveLength(1);
  });
});

describe('with several roles of one app', () => {
  const at = (second: number, id: string): MethodDecorator[] => [Cron(`${second} * * * * *`, { id })];

  test('a role that goes back to what it was is followed, though another one lives on (M, R6)', async () => {
    const web = (second: number): Record<string, MethodDecorator[]> => ({ a: at(second, 'a') });
    const worker = (second: number): Record<string, MethodDecorator[]> => ({ b: at(second, 'b') });
    await start('web', web(1));
    await start('worker', worker(1));
    await stop('web');
    await start('web', web(2));
    await stop('worker');
    await start('worker', worker(2));
    await stop('web');
    const back = await start('web', web(1));
    await clock.advanceBy(seconds);
    expect((await job('a'))!.trigger).toMatchObject({ expression: '1 * * * * *' });
    expect((await job('b'))!.trigger).toMatchObject({ expression: '2 * * * * *' });
    for (const { outranked } of back.heard('jobs.synced')) expect(outranked).toEqual([]);
  });

  test('a role that has the method but not the schedule leaves the job alone', async () => {
    await start('worker', { a: [...at(0, 'a'), JobHandler('Jobs.a')] });
    for (const name of ['web', 'web again']) {
      const web = await start(name, { a: [JobHandler('Jobs.a')], b: at(30, 'b') });
      expect(web.heard('jobs.synced')).toMatchObject([{ superseded: [] }]);
      expect((await job('a'))!.orphanedAt).toBeNull();
      await during(2 * minutes);
      expect(instantsOf('a')).toHaveLength(2);
    }
  });

  test('a job that moves from one role to another fires at each instant', async () => {
    await start('web', { a: at(0, 'a'), w: at(5, 'w') });
    await start('worker', { b: at(0, 'b') });
    await during(2 * minutes);
    await start('web 2', { w: at(5, 'w') });
    await start('worker 2', { a: at(0, 'a'), b: at(0, 'b') });
    await during(2 * minutes);
    expect(instantsOf('a')).toEqual([180, 240]);
    for (const name of ['web', 'worker']) await stop(name);
    await during(15 * minutes);
    expect(instantsOf('a')).toHaveLength(15);
    expect(await job('a')).toMatchObject({ runCount: 19, orphanedAt: null });
  });

  test('a job that nobody declares any more is orphaned after ten minutes, and its cursor waits where it stood', async () => {
    await start('web', { a: [Interval('1m', { id: 'a' })] });
    await start('worker', { b: at(0, 'b') });
    await stop('web');
    await during(9 * minutes);
    expect((await job('a'))!.orphanedAt).toBeNull();
    await during(3 * minutes);
    expect(await job('a')).toMatchObject({ state: 'orphaned' });
    await start('web', { a: [Interval('1m', { id: 'a' })] });
    await during(seconds);
    expect(await job('a')).toMatchObject({ orphanedAt: null, runCount: 1 });
    expect(await gaps('a')).toMatchObject([{ reason: 'misfire', count: 11 }]);
  });

  test('all roles that were down for an hour come back with their jobs, in whatever order', async () => {
    for (const name of ['web', 'worker']) await start(name, { [name]: at(0, name) });
    for (const name of ['web', 'worker']) await stop(name);
    await clock.advanceBy(60 * minutes);
    await start('web', { web: at(0, 'web') });
    await clock.advanceBy(5 * minutes);
    const worker = await start('worker', { worker: at(0, 'worker') });
    expect(live.get('web')!.heard('job.orphaned')).toEqual([]);
    expect(worker.heard('jobs.synced')).toMatchObject([{ created: [], changed: [] }]);
    expect((await during(minutes)).filter((line) => line.startsWith('worker'))).not.toEqual([]);
  });
});

describe('with several apps', () => {
  const nightly = { nightly: [Interval('1m', { id: 'nightly' })] };

  test('an app that gets a name takes over what it had under the one before (L, A10)', async () => {
    await start('before', nightly);
    await during(3 * minutes);
    const { createdAt } = (await job('nightly'))!;
    await start('shop', nightly, { app: 'shop', previousApps: ['default'] });
    expect(await job('nightly')).toMatchObject({ app: 'shop', runCount: 3, createdAt });
    await stop('before');
    await during(2 * minutes);
    expect(instantsOf('nightly')).toEqual([240, 300]);
  });

  test('a job whose app has had no process for ten minutes may be had by another app that declares it (L, A10)', async () => {
    await start('before', nightly);
    await stop('before');
    const refused = start('shop', nightly, { app: 'shop' });
    await expect(refused).rejects.toThrow(JobIdTakenError);
    await expect(refused).rejects.toThrow('name the other app in previousApps');
    await clock.advanceBy(11 * minutes);
    const shop = await start('shop', nightly, { app: 'shop' });
    expect(await job('nightly')).toMatchObject({ app: 'shop' });
    expect(shop.heard('jobs.synced')).toMatchObject([{ created: [], changed: [{ id: 'nightly' }] }]);
  });

  test('an app whose job was taken over says so, and has it back when the other is gone', async () => {
    const before = await start('before', nightly);
    await start('shop', nightly, { app: 'shop', previousApps: ['default'] });
    await clock.advanceBy(30 * seconds);
    expect(before.heard('jobs.synced').at(-1)).toMatchObject({ taken: [{ id: 'nightly' }] });
    await stop('shop');
    await clock.advanceBy(12 * minutes);
    expect(await job('nightly')).toMatchObject({ app: 'default', orphanedAt: null });
    expect(before.heard('jobs.synced').at(-1)).toMatchObject({ taken: [], changed: [{ id: 'nightly' }] });
  });

  test('previousApps are names, and not that of the app itself', async () => {
    await expect(start('x', {}, { previousApps: 'old' as never })).rejects.toThrow('previousApps');
    await expect(start('x', {}, { app: 'shop', previousApps: ['shop'] })).rejects.toThrow('previousApps');
  });
});

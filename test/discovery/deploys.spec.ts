import type { Type } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  Cron,
  Interval,
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

  test('a changed id that is taken back goes on from now, and what ran meanwhile is a gap', async () => {
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

  test('an instant that was fired ahead under the old id is not run again under the new one', async () => {
    await start('v1', { daily: every('*/10 * * * * *', 'old-id') });
    await during(9_900);
    await start('v2', { daily: every('*/10 * * * * *', 'new-id') });
    await during(30 * seconds);
    expect(instantsOf('daily')).toEqual([10, 20, 30]);
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

describe('a role that is gone', () => {
  test('a job that nobody declares any more is orphaned after ten minutes, and its cursor waits where it stood', async () => {
    await start('web', { a: [Interval('1m', { id: 'a' })] });
    await start('worker', { b: [Interval('1m', { id: 'b' })] });
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
});

describe('with several apps', () => {
  const nightly = { nightly: [Interval('1m', { id: 'nightly' })] };

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

  test('an app says which methods run in a previous one as well, as their ids are others', async () => {
    const jobs = { ...nightly, kept: [Interval('1m', { id: 'kept' })], old: [Interval('1m', { id: 'old' })] };
    await start('before', jobs);
    const shop = await start(
      'shop',
      {
        nightly: [Interval('1m', { id: 'night' })],
        kept: jobs.kept,
        old: [Interval('1m', { id: 'new', previousIds: ['old'] })],
      },
      { app: 'shop', previousApps: ['default'] },
    );
    await clock.advanceBy(3 * minutes);
    const told = [{ app: 'shop', previousApp: 'default', jobs: [{ namespace: 'default', id: 'nightly' }] }];
    expect(shop.heard('methods.doubled')).toMatchObject(told);
    expect(shop.heard('methods.doubled')[0]!.jobs).toHaveLength(1);
  });

  test('previousApps are names, and not that of the app itself', async () => {
    await expect(start('x', {}, { previousApps: 'old' as never })).rejects.toThrow('previousApps');
    await expect(start('x', {}, { app: 'shop', previousApps: ['shop'] })).rejects.toThrow('previousApps');
  });
});

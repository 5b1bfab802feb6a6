import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  Cron,
  InvalidOptionError,
  Interval,
  JobNotFoundError,
  type SchedulerService,
} from '../../lib/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';
import { release } from '../support/release.js';

const minute = 60_000;

let clock: ManualClock;
let storage: MemoryStorage;
const apps: NestApp[] = [];

beforeEach(() => {
  clock = new ManualClock('2026-06-01T00:00:30Z');
  storage = new MemoryStorage({ clock });
});

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(methods: Record<string, MethodDecorator[]>): Promise<NestApp> {
  const providers = [release(methods)];
  const app = await NestApp.boot({ clock, storage, providers, chronis: { app: 'shop' } });
  apps.push(app);
  return app;
}

/** The next release in place of the one that runs. */
async function deploy(methods: Record<string, MethodDecorator[]>): Promise<SchedulerService> {
  for (const app of apps.splice(0)) await app.close();
  return (await start(methods)).scheduler;
}

const nightly = (expression: string, more = {}): Record<string, MethodDecorator[]> => ({
  nightly: [Cron(expression, { id: 'nightly', ...more })],
});

const synced = () => apps[0]!.heard('jobs.synced').at(-1)!;

describe('a declared job that is changed at run time', () => {
  test('stays so when a deploy changes another option, and when it changes the same one', async () => {
    const { scheduler } = await start(nightly('0 3 * * *', { timeout: '1m', payload: { days: 1 } }));
    const trigger = { type: 'cron', expression: '30 4 * * *' } as const;
    await scheduler.updateJob('nightly', { trigger, payload: { days: 7 }, maxRetries: 2 }, { by: 'ada' });

    const next = await deploy(nightly('0 3 * * *', { timeout: '5m', payload: { days: 1 } }));
    expect(await next.getJob('nightly')).toMatchObject({
      trigger: { expression: '30 4 * * *' },
      payload: { days: 7 },
      policies: { maxRetries: 2, timeoutMs: 5 * minute },
      nextRunAt: new Date('2026-06-01T04:30:00Z'),
    });

    const last = await deploy(nightly('0 5 * * *', { timeout: '5m', payload: { days: 2 }, maxRetries: 1 }));
    const job = (await last.getJob('nightly'))!;
    expect(job.nextRunAt).toEqual(new Date('2026-06-01T04:30:00Z'));
    const at = new Date('2026-06-01T00:00:30Z');
    expect(job.changed).toEqual({
      trigger: { declared: { type: 'cron', expression: '0 5 * * *', timeZone: 'UTC' }, at, by: 'ada' },
      payload: { declared: { days: 2 }, at, by: 'ada' },
      maxRetries: { declared: 1, at, by: 'ada' },
    });
  });

  test('is told of at each start, in what, with nothing else to tell as well', async () => {
    const { scheduler } = await start(nightly('0 3 * * *'));
    expect(synced().changedAtRunTime).toEqual([]);
    await scheduler.updateJob('nightly', { timeout: '2m', priority: 'low' });
    const told = [{ namespace: 'default', id: 'nightly', options: ['priority', 'timeoutMs'] }];
    await deploy(nightly('0 3 * * *'));
    expect(synced()).toMatchObject({ changed: [], changedAtRunTime: told });
    await deploy(nightly('0 4 * * *'));
    expect(synced()).toMatchObject({ changed: [{ id: 'nightly' }], changedAtRunTime: told });
  });

  test('is not told of once it was taken back', async () => {
    const { scheduler } = await start(nightly('0 3 * * *'));
    await scheduler.updateJob('nightly', { timeout: '2m' });
    await scheduler.resetJob('nightly');
    await deploy(nightly('0 3 * * *'));
    expect(synced().changedAtRunTime).toEqual([]);
  });

  test('keeps its changes when a deploy renames it', async () => {
    const { scheduler } = await start(nightly('0 3 * * *'));
    await scheduler.updateJob('nightly', { priority: 'low' });
    const next = await deploy(nightly('0 4 * * *', { id: 'tidy', previousIds: ['nightly'] }));
    expect(await next.getJob('tidy')).toMatchObject({ priority: 9, changed: { priority: { declared: 5 } } });
  });

  test('is changed no more in what is set to what the code says, and the rest stays', async () => {
    const { scheduler } = await start(nightly('0 3 * * *', { timeout: '1m' }));
    await scheduler.updateJob('nightly', { timeout: '2m', name: 'Nightly' }, { by: 'ada' });
    await scheduler.updateJob('nightly', { timeout: '1m', priority: 'low' }, { by: 'bob' });
    expect((await scheduler.getJob('nightly'))!.changed).toMatchObject({
      name: { declared: null, by: 'ada' },
      priority: { declared: 5, by: 'bob' },
    });
  });

  test('keeps its next time when it is given the schedule that it has', async () => {
    const { scheduler } = await start({ tick: [Interval('1h', { id: 'tick' })] });
    const { nextRunAt } = (await scheduler.getJob('tick'))!;
    await clock.advanceBy(10 * minute);
    const job = await scheduler.updateJob('tick', { trigger: { type: 'interval', every: '1h' } });
    expect(job).toMatchObject({ nextRunAt, changed: null });
    expect((await scheduler.getGaps({})).items).toEqual([]);
  });

  test('that an upsert or a replacing creation gives another definition keeps the declaration below', async () => {
    const { scheduler } = await start(nightly('0 3 * * *', { payload: 1 }));
    await scheduler.upsert({ id: 'nightly', handler: 'Jobs.nightly', cron: '0 6 * * *', payload: 2 });
    const next = await deploy(nightly('0 3 * * *', { payload: 1, maxRetries: 3 }));
    expect(await next.getJob('nightly')).toMatchObject({
      source: 'code',
      trigger: { expression: '0 6 * * *' },
      payload: 2,
      policies: { maxRetries: 3 },
      changed: { payload: { declared: 1, by: null } },
    });
  });
});

describe('resetJob', () => {
  test('brings back what the code says at present, and records what the schedule until then owed', async () => {
    const { scheduler } = await start(nightly('0 3 * * *', { payload: 1, timeout: '1m' }));
    const trigger = { type: 'cron', expression: '*/10 * * * *' } as const;
    await scheduler.updateJob('nightly', { trigger, timeZone: 'Asia/Seoul', payload: 2, onFailure: null });
    const next = await deploy(nightly('0 5 * * *', { payload: 3, timeout: '1m' }));
    await next.pauseJob('nightly');
    await clock.advanceBy(25 * minute);
    expect(await next.resetJob('nightly')).toMatchObject({
      trigger: { type: 'cron', expression: '0 5 * * *', timeZone: 'UTC' },
      timeZone: 'UTC',
      payload: 3,
      policies: { timeoutMs: minute },
      changed: null,
    });
    expect(await next.resumeJob('nightly')).toMatchObject({ nextRunAt: new Date('2026-06-01T05:00:00Z') });
    expect((await next.getGaps({ jobId: 'nightly' })).items).toMatchObject([{ verdict: 'paused' }]);
    // It is the declaration that holds: the next deploy changes it.
    const last = await deploy(nightly('0 6 * * *'));
    expect(await last.getJob('nightly')).toMatchObject({
      payload: null,
      trigger: { expression: '0 6 * * *' },
    });
  });

  test('leaves the next time where the schedule was not changed', async () => {
    const { scheduler } = await start({ tick: [Interval('1h', { id: 'tick' })] });
    const { nextRunAt } = (await scheduler.updateJob('tick', { priority: 'low' }))!;
    await clock.advanceBy(10 * minute);
    expect(await scheduler.resetJob('tick')).toMatchObject({ priority: 5, nextRunAt, changed: null });
  });

  test('gives an interval its old instants back', async () => {
    const { scheduler } = await start({ tick: [Interval('1h', { id: 'tick' })] });
    const { nextRunAt } = (await scheduler.getJob('tick'))!;
    await scheduler.updateJob('tick', { trigger: { type: 'cron', expression: '7 * * * *' } });
    await clock.advanceBy(10 * minute);
    expect(await scheduler.resetJob('tick')).toMatchObject({ nextRunAt, trigger: { every: 60 * minute } });
  });

  test('changes nothing of a job that nobody has changed', async () => {
    const { scheduler } = await start(nightly('0 3 * * *'));
    const before = await scheduler.getJob('nightly');
    expect(await scheduler.resetJob('nightly')).toEqual(before);
  });

  test('refuses what no code declares', async () => {
    const { scheduler } = await start(nightly('0 3 * * *'));
    await scheduler.createCronJob({ id: 'made', expression: '0 4 * * *', handler: 'Jobs.nightly' });
    await expect(scheduler.resetJob('made')).rejects.toThrow(InvalidOptionError);
    await expect(scheduler.resetJob('none')).rejects.toThrow(JobNotFoundError);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ChronisEvents, InvalidOptionError, type Forecast } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';
import { RealApp, storageKinds } from '../support/real.app.js';

const hour = 3_600_000;
const from = '2026-03-28T12:00:00Z';
const until = '2026-03-29T12:00:00Z';

describe.each(storageKinds)('forecast on %s', (kind) => {
  let app: RealApp;
  beforeEach(async () => {
    app = await RealApp.boot(kind, { autoStart: false, allowUnknownHandler: true });
  });
  afterEach(() => app.close());

  test('adds up all jobs by minute, with the hottest ones and what the clocks do', async () => {
    const { scheduler } = app;
    const at = new Date(Date.now() + hour);
    const first = new Date(Math.ceil(at.getTime() / 60_000) * 60_000);
    for (let n = 0; n < 20; n++) {
      await scheduler.schedule('work', { id: `one-off ${n}`, at: first });
    }
    await scheduler.schedule('work', { id: 'other', at: new Date(first.getTime() + 60_000) });
    await scheduler.schedule('work', { id: 'held', at: first });
    await scheduler.pauseJob('held');
    const found = await scheduler.forecast();
    expect(found).toMatchObject({ runs: 21, jobs: 21, held: 1, atLeast: false, bucketMs: 60_000 });
    expect(found.until.getTime() - found.from.getTime()).toBe(24 * hour);
    expect(found.hotMinutes).toMatchObject([{ at: first, runs: 20 }]);
    expect(found.hotMinutes[0]!.jobs).toHaveLength(5);
    expect(found.buckets.map(({ runs }) => runs)).toEqual([20, 1]);
  });

  test('knows of the clocks: what does not exist and what exists twice', async () => {
    const { scheduler } = app;
    // Jobs go on from now, so the change of the clocks is one of those to come.
    const year = new Date().getUTCFullYear() + 1;
    await scheduler.schedule('work', { id: 'nightly', cron: '30 2 * * *', timeZone: 'Europe/Berlin' });
    await scheduler.schedule('work', { id: 'backup', cron: '30 2 * * *', timeZone: 'Europe/Berlin' });
    const found = await scheduler.forecast({ from: `${year}-03-20T00:00Z`, until: `${year}-04-03T00:00Z` });
    expect(found).toMatchObject({ runs: 28, bucketMs: hour });
    expect(found.remarks).toMatchObject([{ code: 'dst-gap', jobs: 2, example: 'default/backup' }]);
  });

  test('often recurring jobs are counted by arithmetic, and pauses take them out', async () => {
    const { scheduler } = app;
    await scheduler.schedule('work', { id: 'each second', every: '1s' });
    await scheduler.schedule('work', { id: 'each hour', cron: '0 * * * *' });
    const day = 24 * 3_600;
    const start = Math.ceil(Date.now() / hour) * hour + hour;
    const range = { from: start, until: start + 24 * hour };
    expect(await scheduler.forecast(range)).toMatchObject({ runs: day + 24, jobs: 2, held: 0 });
    expect((await scheduler.forecast(range)).hotMinutes[0]).toMatchObject({ runs: 61 });
    await scheduler.pause({ queue: 'default' });
    expect(await scheduler.forecast(range)).toMatchObject({ runs: 0, jobs: 0, held: 2, hotMinutes: [] });
  });

  test('namespaces are told apart', async () => {
    await app.scheduler.schedule('work', { id: 'a', in: '1h', namespace: 'left' });
    expect(await app.scheduler.forecast({ namespace: 'left' })).toMatchObject({ runs: 1 });
    expect(await app.scheduler.forecast({ namespace: 'right' })).toMatchObject({ runs: 0 });
    expect(await app.scheduler.forTenant('acme').forecast()).toMatchObject({ runs: 0 });
  });

  test.each([
    [{ until: from, from: until }, 'must be after'],
    [{ from: '2026-01-01T00:00Z', until: '2028-01-01T00:00Z' }, 'at most 366 days'],
    [{ bucket: '90s' }, 'whole minutes'],
    [{ from: '2026-01-01T00:00Z', until: '2026-12-31T00:00Z', bucket: '1m' }, 'more than 50000 buckets'],
    [{ buckets: '1h' }, 'Did you mean "bucket"?'],
  ])('%j is refused', async (options, message) => {
    const forecast = app.scheduler.forecast(options as object);
    await expect(forecast).rejects.toThrow(InvalidOptionError);
    await expect(forecast).rejects.toThrow(message);
  });
});

test('what is foretold is what runs', async () => {
  const app = await NestApp.boot();
  app.scheduler.registerHandler('work', () => undefined);
  const jobs = [
    { cron: '*/7 * * * *' },
    { every: '11m' },
    { every: '30s' },
    { cron: '0 9 * * *', timeZone: 'Asia/Seoul' },
    { cron: 'H * * * *' },
    { cron: '0 * * * *', exclude: [{ weekdays: ['FRI'] }] },
    { at: new Date(app.clock.now() + 5 * hour) },
  ];
  for (const [n, job] of jobs.entries()) {
    const given = { id: `job ${n}`, ...job } as Parameters<typeof app.scheduler.schedule>[1];
    await app.scheduler.schedule('work', given);
  }
  const start = app.clock.now() + 60_000;
  const foretold = await app.passUntil(
    app.scheduler.forecast({ from: start, until: start + 24 * hour, bucket: '1h' }),
  );
  const ran = new Map<number, number>();
  app.app.get(ChronisEvents).on('run.succeeded', ({ nominalAt }) => {
    const bucket = Math.floor((nominalAt.getTime() - start) / hour);
    if (bucket >= 0 && bucket < 24) ran.set(bucket, (ran.get(bucket) ?? 0) + 1);
  });
  await app.clock.advanceBy(25 * hour);
  const told = new Map(
    foretold.buckets.map(({ at, runs }) => [Math.floor((at.getTime() - start) / hour), runs]),
  );
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(ran));
  expect(sum(foretold)).toBe(foretold.runs);
  await app.close();
});

const sum = ({ buckets }: Forecast): number => buckets.reduce((total, { runs }) => total + runs, 0);

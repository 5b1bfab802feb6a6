import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobQuery, RunConditions } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

describe('querying jobs', () => {
  let app: NestApp;

  beforeAll(async () => {
    app = await NestApp.boot();
    const { scheduler } = app;
    scheduler.registerHandler('work', () => undefined);
    scheduler.registerHandler('fail', () => {
      throw new Error('not today');
    });
    const acme = { tenant_id: 'acme', plan: { name: 'pro', seats: 5 } };
    await scheduler.createIntervalJob({ id: 'a-1', handler: 'work', seconds: 10, metadata: acme });
    await scheduler.createIntervalJob({ id: 'a-2', handler: 'fail', hours: 1, metadata: acme });
    await scheduler.createCronJob({
      id: 'b-1',
      handler: 'work',
      hour: 9,
      queue: 'slow',
      metadata: { tenant_id: 'globex' },
    });
    await scheduler.createDateJob({ id: 'c-1', handler: 'fail', in: '1s' });
    await scheduler.createDateJob({ id: 'c-2', handler: 'work', in: '1h', namespace: 'other' });
    await scheduler.pauseJob('b-1');
    await app.clock.advanceBy(10_000);
  });
  afterAll(() => app.close());

  const found: [string, JobQuery, string[]][] = [
    ['without conditions', {}, ['a-1', 'a-2', 'b-1', 'c-1', 'c-2']],
    ['by state', { state: 'failed' }, ['c-1']],
    ['by several states', { state: ['paused', 'failed'] }, ['b-1', 'c-1']],
    [
      'by being scheduled, which those are that never ran as well',
      { state: 'scheduled' },
      ['a-1', 'a-2', 'c-2'],
    ],
    ['by being scheduled or paused', { state: ['paused', 'scheduled'] }, ['a-1', 'a-2', 'b-1', 'c-2']],
    ['by never having run', { state: 'pending' }, ['a-2', 'c-2']],
    ['by what has paused them', { pausedBy: 'job' }, ['b-1']],
    ['by their next time', { nextBefore: new Date('2026-01-01T00:01:00Z') }, ['a-1']],
    ['by handler', { handler: 'fail' }, ['a-2', 'c-1']],
    ['by queue', { queue: 'slow' }, ['b-1']],
    ['by the type of the trigger', { triggerType: ['cron', 'at'] }, ['b-1', 'c-1', 'c-2']],
    ['by namespace', { namespace: 'other' }, ['c-2']],
    ['by the beginning of the id', { idPrefix: 'a-' }, ['a-1', 'a-2']],
    ['by source', { source: 'code' }, []],
    ['by a path of the metadata', { 'metadata.tenant_id': 'acme' }, ['a-1', 'a-2']],
    ['by a path at any depth', { 'metadata.plan.seats': 5 }, ['a-1', 'a-2']],
    ['by the metadata as an object', { metadata: { plan: { name: 'pro' } } }, ['a-1', 'a-2']],
    [
      'by a path and an object together',
      { metadata: { plan: { name: 'pro' } }, 'metadata.plan.seats': 6 },
      [],
    ],
    ['by all conditions at once', { 'metadata.tenant_id': 'acme', state: 'scheduled' }, ['a-1', 'a-2']],
  ];
  test.each(found)('%s', async (_, query, ids) => {
    const { items } = await app.scheduler.queryJobs(query);
    expect(items.map(({ id }) => id)).toEqual(ids);
    expect(await app.scheduler.countJobs(query)).toBe(ids.length);
  });

  test('by what comes next, in that order', async () => {
    const { items, cursor } = await app.scheduler.queryJobs({ orderBy: 'nextRunAt', limit: 2 });
    expect(items.map(({ id }) => id)).toEqual(['a-1', 'a-2']);
    const soon = await app.scheduler.queryJobs({ nextBefore: '2026-01-01 00:00:30.5' });
    expect(soon.items.map(({ id }) => id)).toEqual(['a-1']);
    const more = await app.scheduler.queryJobs({ orderBy: 'nextRunAt', limit: 2, cursor: cursor! });
    expect(more).toMatchObject({ items: [{ id: 'c-2' }], cursor: null });
  });

  test.each<[object, string]>([
    [{ orderBy: 'next' }, 'orderBy'],
    [{ pausedBy: 'tenant' }, 'pausedBy'],
  ])('and refuses %o', async (query, option) => {
    await expect(app.scheduler.queryJobs(query as JobQuery)).rejects.toMatchObject({ option });
  });

  test('finds runs by the time of their verdict, in all forms of a time', async () => {
    const { scheduler } = app;
    const ids = async (query: RunConditions): Promise<string[]> =>
      (await scheduler.getRuns({ jobId: 'c-1', ...query })).items.map(({ jobId }) => jobId);
    const at = (await scheduler.getRuns({ jobId: 'c-1' })).items[0]!.finishedAt!;
    for (const before of ['2026-01-01', at, at.getTime() - 1, '2026-01-01T00:00+09:00[Asia/Seoul]']) {
      expect(await ids({ finishedBefore: before })).toEqual([]);
    }
    for (const after of ['2026-01-01', '2025-12-31 23:59:59.5', at.getTime() - 1]) {
      expect(await ids({ finishedAfter: after })).toEqual(['c-1']);
    }
    expect(
      (await scheduler.getAttempts({ jobId: 'c-1', outcome: 'failed', finalOnly: true })).items,
    ).toHaveLength(1);
    expect((await scheduler.getAttempts({ jobId: 'c-1', outcome: ['succeeded', 'lost'] })).items).toEqual([]);
  });

  test('page by page', async () => {
    const first = await app.scheduler.queryJobs({ limit: 3 });
    expect(first.items).toHaveLength(3);
    const second = await app.scheduler.queryJobs({ limit: 3, cursor: first.cursor! });
    expect(second.items.map(({ id }) => id)).toEqual(['c-1', 'c-2']);
    expect(second.cursor).toBeNull();
  });

  test('gives plain data: what the caller does to it changes nothing', async () => {
    const job = (await app.scheduler.getJob('a-1'))!;
    job.metadata.tenant_id = 'other';
    job.nextRunAt!.setTime(0);
    expect(await app.scheduler.getJob('a-1')).toMatchObject({
      metadata: { tenant_id: 'acme' },
      nextRunAt: new Date('2026-01-01T00:00:20Z'),
    });
  });

  test('tells what has become of a job', async () => {
    expect(await app.scheduler.getJob('c-1')).toMatchObject({
      state: 'failed',
      runCount: 1,
      errorCount: 1,
      consecutiveFailures: 1,
      lastVerdict: 'failed',
      lastRunAt: new Date('2026-01-01T00:00:01Z'),
      lastError: expect.stringContaining('not today'),
    });
    const { items } = await app.scheduler.getAttempts({ jobId: 'c-1', outcome: 'failed', finalOnly: true });
    expect(items).toMatchObject([{ handler: 'fail', attempt: 1, final: true }]);
  });
});

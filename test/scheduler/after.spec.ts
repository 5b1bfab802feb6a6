import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JobAlreadyExistsError, type CreateManyResult } from '../../lib/index.js';
import { databaseUrl } from '../support/schema.js';
import { RealApp, storageKinds } from '../support/real.app.js';

const statuses = (results: CreateManyResult[]): string[] => results.map(({ status }) => status);
const wrong = (options: object): never => options as never;

describe.each(storageKinds)('on %s', (kind) => {
  let app: RealApp;
  const ran: string[] = [];

  beforeEach(async () => {
    ran.length = 0;
    app = await RealApp.boot(kind);
    app.scheduler.registerHandler('work', ({ job }) => void ran.push(job.id));
    app.scheduler.registerHandler('fail', () => Promise.reject(new Error('not today')));
  });
  afterEach(() => app.close());

  const work = (id: string, after: string[] = [], more: object = {}) =>
    after.length === 0 ? { id, handler: 'work', in: 0, ...more } : { id, handler: 'work', after, ...more };

  test('jobs of one call run after those that they name', async () => {
    const done = app.next('run.succeeded', 'd');
    const results = await app.scheduler.createMany(
      wrong([work('d', ['b', 'c']), work('b', ['a']), work('c', ['a'], { delay: 5 }), work('a')]),
    );
    expect(statuses(results)).toEqual(['created', 'created', 'created', 'created']);
    expect(results[0]).toMatchObject({ job: { state: 'waiting', waitsFor: ['b', 'c'], nextRunAt: null } });
    await done;
    expect([ran[0], ran[3]]).toEqual(['a', 'd']);
  });

  test('a job may wait for one that is there, by schedule() and createJob()', async () => {
    await app.scheduler.schedule('work', { id: 'a', in: '1h' });
    const job = await app.scheduler.schedule('work', { id: 'c', after: 'a', otherwise: 'cancel' });
    expect(job).toMatchObject({
      state: 'waiting',
      waitsFor: ['a'],
      trigger: { type: 'after', jobs: ['a'], otherwise: 'cancel' },
    });
    await app.scheduler.createJob({ id: 'd', handler: 'work', after: ['a', 'c'], need: 'any', delay: '1m' });
    const { items } = await app.scheduler.queryJobs({ state: 'waiting' });
    expect(items.map(({ id, waitsFor }) => [id, waitsFor])).toEqual([
      ['c', ['a']],
      ['d', ['a', 'c']],
    ]);
    const done = app.next('run.succeeded', 'c');
    await app.scheduler.runNow('a');
    await done;
    expect(await app.scheduler.getJob('d')).toMatchObject({ state: 'pending', waitsFor: null });
  });

  test('a dead letter that is retried by hand lets go of what waits for it', async () => {
    const failed = app.next('run.failed', 'a');
    await app.scheduler.createMany([
      { id: 'a', handler: 'fail', in: 0 },
      { id: 'c', handler: 'work', after: ['a'] },
    ]);
    const { runId } = await failed;
    expect(await app.scheduler.getJob('c')).toMatchObject({ state: 'waiting', waitsFor: ['a'] });
    const done = app.next('run.succeeded', 'c');
    await app.scheduler.updateJob('a', { handler: 'work' });
    await app.scheduler.retryRun(runId);
    await done;
    expect(ran).toEqual(['a', 'c']);
  });

  test('one that can never begin is cancelled, and the record says why', async () => {
    await app.scheduler.schedule('work', { id: 'a', in: '1h' });
    await app.scheduler.schedule('work', { id: 'c', after: ['a'] });
    await app.scheduler.cancelJob('a');
    expect(await app.scheduler.getJob('c')).toBeNull();
    const { items } = await app.scheduler.getAttempts({ jobId: 'c' });
    expect(items).toMatchObject([
      {
        outcome: 'cancelled',
        final: true,
        error: 'Too few of the jobs that it was to come after can still succeed: "a" (cancelled).',
      },
    ]);
  });

  test('the same call again changes nothing under "ignore"', async () => {
    const items = wrong([work('a', [], { in: '1h' }), work('c', ['a'])]);
    await app.scheduler.createMany(items);
    expect(statuses(await app.scheduler.createMany(items, { onConflict: 'ignore' }))).toEqual([
      'existing',
      'existing',
    ]);
    await expect(app.scheduler.createMany(items)).rejects.toThrow(JobAlreadyExistsError);
  });

  test('a tenant waits for its own jobs alone', async () => {
    await app.scheduler.schedule('work', { id: 'a', in: '1h' });
    const tenant = app.scheduler.forTenant('acme');
    await expect(tenant.schedule('work', { id: 'c', after: ['a'] })).rejects.toThrow(
      'names "a", but the namespace "tenant:acme" has no such job',
    );
    await tenant.createMany(wrong([work('a', [], { in: '1h' }), work('c', ['a'])]));
    expect(await tenant.getJob('c')).toMatchObject({ waitsFor: ['a'] });
  });

  test.each<[what: string, items: object[], message: string]>([
    [
      'a parent that nobody knows',
      [work('c', ['x'])],
      'after: names "x", but the namespace "default" has no such job.',
    ],
    ['itself', [work('c', ['c'])], 'after: names "c", which is the job itself.'],
    ['one parent twice', [work('a'), work('c', ['a', 'a'])], 'after: names "a" twice.'],
    ['no parent', [{ id: 'c', handler: 'work', after: [] }], 'after: names no job.'],
    [
      'what is no list',
      [{ id: 'c', handler: 'work', after: 5 }],
      'after: must be the id of a job, or a list of ids, but is 5.',
    ],
    [
      'a time beside it',
      [work('a'), work('c', ['a'], { in: '5m' })],
      'in: is a time of its own, but the job waits for those in "after".',
    ],
    ['a schedule beside it', [work('a'), work('c', ['a'], { every: '5m' })], 'every: is a time of its own'],
    [
      'jobs that wait for each other',
      [work('a', ['c']), work('b', ['a']), work('c', ['b'])],
      'after: these jobs wait for each other: "',
    ],
    [
      'one that recurs',
      [{ id: 'a', handler: 'work', every: '1h' }, work('c', ['a'])],
      'after: names "a", but that job recurs',
    ],
    [
      'one in another namespace',
      [work('a', [], { namespace: 'acme' }), work('c', ['a'])],
      'names "a", which this list has in the namespace "acme", but "c" is in "default".',
    ],
    [
      'an id that is there twice',
      [work('a'), work('a'), work('c', ['a'])],
      'id: two jobs of the list have the id "a"',
    ],
    [
      'more than there are',
      [work('a'), work('c', ['a'], { need: 2 })],
      "need: 2 is not 'all', 'any' or a whole number from 1 to 1",
    ],
    [
      'a word that there is not',
      [work('a'), work('c', ['a'], { otherwise: 'skip' })],
      'otherwise: skip is not one of block, cancel, run.',
    ],
    [
      'to take the place of another',
      [work('a'), work('c', ['a'], { onConflict: 'replace' })],
      'onConflict: ',
    ],
    [
      'an option of others',
      [work('a'), work('c', ['a'], { overlap: 'skip' })],
      'overlap: is for what recurs',
    ],
    [
      'a list with something else that is wrong',
      [work('a'), { id: 'b', handler: 'work', in: '5 parsecs' }, work('c', ['a'])],
      'in: ',
    ],
  ])('a call is refused with %s, and stores nothing', async (_, items, message) => {
    await expect(app.scheduler.createMany(wrong(items))).rejects.toThrow(message);
    expect(await app.scheduler.countJobs({})).toBe(0);
    expect(await app.scheduler.countJobs({ namespace: 'acme' })).toBe(0);
  });

  test('one that has ended is refused with what it has ended as', async () => {
    const done = app.next('run.succeeded', 'a');
    await app.scheduler.schedule('work', { id: 'a', in: 0 });
    await done;
    await expect(app.scheduler.schedule('work', { id: 'c', after: ['a'] })).rejects.toThrow(
      'after: names "a", but that job has ended already, as succeeded. Leave it out of "after".',
    );
    expect(await app.scheduler.getJob('c')).toBeNull();
  });

  test('what a job waits for is not changed, but for a time in its place', async () => {
    await app.scheduler.schedule('work', { id: 'a', in: '1h' });
    await app.scheduler.schedule('work', { id: 'c', after: ['a'] });
    await expect(app.scheduler.updateJob('c', wrong({ after: ['b'] }))).rejects.toThrow(/after: /);
    await expect(app.scheduler.updateJob('a', { trigger: { type: 'after', jobs: ['c'] } })).rejects.toThrow(
      'trigger: what the job "a" waits for is said when it is created.',
    );
    expect(await app.scheduler.updateJob('c', { payload: 5 })).toMatchObject({ payload: 5, waitsFor: ['a'] });
    expect(await app.scheduler.updateJob('c', { in: '2h' })).toMatchObject({
      state: 'pending',
      waitsFor: null,
    });
  });
});

describe('within a transaction of the caller', () => {
  test('jobs that wait are there with its commit, and not after a rollback', async () => {
    const app = await RealApp.boot('postgres');
    app.scheduler.registerHandler('work', () => undefined);
    const source = await new DataSource({ type: 'postgres', url: databaseUrl() }).initialize();
    const create = (ends: 'well' | 'badly') =>
      source.transaction(async (manager) => {
        await app.scheduler.schedule('work', { id: 'a', in: '1h' }, { manager });
        await app.scheduler.schedule('work', { id: 'c', after: ['a'] }, { manager });
        await expect(app.scheduler.schedule('work', { id: 'd', after: ['x'] }, { manager })).rejects.toThrow(
          '"x"',
        );
        if (ends === 'badly') throw new Error('rolled back');
      });
    await expect(create('badly')).rejects.toThrow('rolled back');
    expect(await app.scheduler.countJobs({})).toBe(0);
    await create('well');
    expect(await app.scheduler.getJob('c')).toMatchObject({ state: 'waiting', waitsFor: ['a'] });
    expect(await app.scheduler.getJob('d')).toBeNull();
    await source.destroy();
    await app.close();
  });
});

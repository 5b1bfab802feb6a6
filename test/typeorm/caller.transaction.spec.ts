import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addOneOff, claimOne, settle, startWorker } from '../../lib/testing/laws/fixture.js';
import type { Job, SchedulerService } from '../../lib/index.js';
import { TransactionalApp } from '../support/transactional.app.js';

describe('calls of the scheduler within a transaction of the caller', () => {
  let app: TransactionalApp;
  let scheduler: SchedulerService;

  beforeAll(async () => {
    app = await TransactionalApp.create('joined');
    ({ scheduler } = await app.boot());
    scheduler.registerHandler('work', () => undefined);
  });
  afterAll(() => app.close());
  beforeEach(() => app.empty());

  const undone = new Error('undone');
  const job = { id: 'a', handler: 'work' };
  const minutely = { ...job, minutes: 1 };
  const later = { ...job, in: '1h' };

  /** Runs the work in a transaction that is rolled back, then in one that is committed. */
  async function twice(work: (manager: EntityManager) => Promise<unknown>, rolledBack: () => Promise<void>) {
    const before = await app.effects();
    await expect(
      app.source.transaction(async (manager) => {
        await app.insert(manager);
        await work(manager);
        throw undone;
      }),
    ).rejects.toBe(undone);
    expect(await app.effects()).toBe(before);
    await rolledBack();
    await app.source.transaction(async (manager) => {
      await app.insert(manager);
      await work(manager);
    });
    expect(await app.effects()).toBe(before + 1);
  }

  test.each([
    ['createIntervalJob', (manager: EntityManager) => scheduler.createIntervalJob(minutely, { manager })],
    [
      'createCronJob',
      (manager: EntityManager) => scheduler.createCronJob({ ...job, expression: '0 9 * * *' }, { manager }),
    ],
    ['createDateJob', (manager: EntityManager) => scheduler.createDateJob(later, { manager })],
    [
      'createJob',
      (manager: EntityManager) => scheduler.createJob({ ...job, trigger: { type: 'manual' } }, { manager }),
    ],
    [
      'schedule',
      (manager: EntityManager) => scheduler.schedule('work', { id: 'a', every: '1h' }, { manager }),
    ],
    [
      'upsert',
      async (manager: EntityManager) => {
        const result = await scheduler.upsert(later, { manager });
        expect(result.status).toBe('created');
        return result.job;
      },
    ],
    [
      'createMany',
      async (manager: EntityManager) => {
        const [result] = await scheduler.createMany([later], { manager });
        return (result as { job: Job }).job;
      },
    ],
  ])('%s stores the job exactly if the transaction commits', async (_, create) => {
    await twice(
      async (manager) => {
        expect((await create(manager)).id).toBe('a');
        expect(await scheduler.getJob('a')).toBeNull();
        const within = await scheduler.getJob('a', { manager });
        expect(within).toMatchObject({ id: 'a' });
        expect(await scheduler.countJobs({}, { manager })).toBe(1);
        expect((await scheduler.queryJobs({}, { manager })).items).toEqual([within]);
      },
      async () => expect(await scheduler.countJobs()).toBe(0),
    );
    expect(await scheduler.countJobs()).toBe(1);
  });

  test('what is changed is changed exactly if the transaction commits', async () => {
    for (const id of ['paused', 'resumed', 'updated', 'deleted', 'ran', 'cancelled'])
      await scheduler.createDateJob({ id, handler: 'work', in: '1h' });
    await scheduler.pauseJob('resumed');
    const states = async () =>
      Object.fromEntries(
        (await scheduler.queryJobs()).items.map(({ id, state, payload }) => [id, payload ?? state]),
      );
    const before = await states();
    await twice(
      async (manager) => {
        await scheduler.pauseJob('paused', { manager, reason: 'audit' });
        await scheduler.resumeJob('resumed', { manager });
        await scheduler.updateJob('updated', { payload: 'new' }, { manager });
        await scheduler.deleteJob('deleted', { manager });
        expect((await scheduler.runNow('ran', { manager })).origin).toBe('at');
        expect(await scheduler.cancelJob('cancelled', { manager })).toBe(1);
        await scheduler.pause({ queue: 'slow' }, { manager, by: 'ada' });
        expect(await scheduler.getPauses({ manager })).toHaveLength(1);
      },
      async () => {
        expect(await states()).toEqual(before);
        expect(await scheduler.getPauses()).toEqual([]);
      },
    );
    expect(await states()).toEqual({ paused: 'paused', resumed: 'pending', updated: 'new', ran: 'pending' });
    await twice(
      async (manager) => expect(await scheduler.resume({ queue: 'slow' }, { manager })).toBe(true),
      async () => expect(await scheduler.getPauses()).toHaveLength(1),
    );
    expect(await scheduler.getPauses()).toEqual([]);
  });

  test('what gave up is retried and discarded exactly if the transaction commits', async () => {
    const storage = await app.storage();
    const worker = await startWorker(storage);
    for (const id of ['retried', 'discarded', 'all', 'none']) {
      await addOneOff(storage, { id });
      await settle(storage, await claimOne(storage, worker), { outcome: 'failed', error: 'boom' });
    }
    const failed = async (within = {}) => (await scheduler.getRuns({ state: 'failed' }, within)).items;
    const runIdOf = new Map((await failed()).map(({ jobId, id }) => [jobId, id]));
    await twice(
      async (manager) => {
        const within = { manager };
        expect((await scheduler.retryRun(runIdOf.get('retried')!, within)).origin).toBe('retry');
        await scheduler.discardRun(runIdOf.get('discarded')!, within);
        expect(await scheduler.retryFailed({ jobId: 'all' }, within)).toEqual({ found: 1, changed: 1 });
        expect(await scheduler.discardFailed({}, within)).toEqual({ found: 1, changed: 1 });
        expect(await failed(within)).toEqual([]);
      },
      async () => expect(await failed()).toHaveLength(4),
    );
    expect((await scheduler.queryJobs()).items.map(({ id }) => id)).toEqual(['all', 'retried']);
  });

  test('calls at once share the connection, and very many jobs one statement for each batch', async () => {
    const jobs = Array.from({ length: 1_200 }, (_, i) => ({ ...later, id: `job-${i}` }));
    await app.source.transaction(async (manager) => {
      const single = Promise.all(jobs.slice(0, 50).map((item) => scheduler.createDateJob(item, { manager })));
      await single;
      const results = await scheduler.createMany(jobs, { manager, onConflict: 'ignore' });
      expect(results.filter(({ status }) => status === 'existing')).toHaveLength(50);
    });
    expect(await scheduler.countJobs()).toBe(1_200);
  });

  test('many jobs are changed exactly if the transaction commits', async () => {
    for (const id of ['a', 'b', 'c']) await scheduler.createDateJob({ ...later, id });
    const states = async () => (await scheduler.queryJobs()).items.map(({ state }) => state);
    await twice(
      async (manager) => {
        const all = { handler: 'work' };
        expect(await scheduler.pauseMany(all, { manager })).toMatchObject({ changed: 3 });
        expect(await scheduler.countJobs({ state: 'paused' }, { manager })).toBe(3);
        expect(await scheduler.resumeMany(all, { manager })).toMatchObject({ changed: 3 });
        expect(await scheduler.deleteMany({ ...all, idPrefix: 'a' }, { manager })).toMatchObject({
          changed: 1,
        });
        expect(await scheduler.cancelMany({ ...all, idPrefix: 'b' }, { manager })).toMatchObject({
          changed: 1,
        });
        await scheduler.pauseMany(all, { manager });
      },
      async () => expect(await states()).toEqual(['pending', 'pending', 'pending']),
    );
    expect(await states()).toEqual(['paused']);
  });
});

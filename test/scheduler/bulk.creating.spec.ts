import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  EmptyJobIdError,
  HandlerNotFoundError,
  InvalidOptionError,
  InvalidPayloadError,
  InvalidScheduleError,
  JobAlreadyExistsError,
  StorageError,
  type CreateManyResult,
} from '../../lib/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { FaultyStorage } from '../support/faulty.storage.js';
import { NestApp } from '../support/nest.app.js';
import { Gate, RealApp, storageKinds } from '../support/real.app.js';

const statuses = (results: CreateManyResult[]) => results.map(({ status }) => status);

describe.each(storageKinds)('on %s', (kind) => {
  let app: RealApp;
  let gate: Gate;

  beforeEach(async () => {
    app = await RealApp.boot(kind);
    gate = new Gate();
    app.scheduler.registerHandler('work', () => 'done');
    app.scheduler.registerHandler('wait', () => gate.passed);
    app.scheduler.registerHandler('fail', () => Promise.reject(new Error('not today')));
  });
  afterEach(async () => {
    gate.release();
    await app.close();
  });

  describe('schedule', () => {
    test('takes a time, a delay, an interval or a cron', async () => {
      const { scheduler } = app;
      const at = new Date(Date.now() + 3_600_000);
      expect(await scheduler.schedule('work', { at })).toMatchObject({
        handler: 'work',
        trigger: { type: 'at', at: at.toISOString() },
        nextRunAt: at,
      });
      expect((await scheduler.schedule('work', { in: '1h' })).trigger.type).toBe('at');
      expect(await scheduler.schedule('work', { every: { minutes: 5 } })).toMatchObject({
        trigger: { type: 'interval', every: 300_000 },
      });
      expect(await scheduler.schedule('work', { cron: '0 9 * * *', timeZone: 'Asia/Seoul' })).toMatchObject({
        trigger: { type: 'cron', expression: '0 9 * * *' },
        timeZone: 'Asia/Seoul',
      });
      expect(await scheduler.schedule('work', { cron: { hour: 9, minute: 0 } })).toMatchObject({
        trigger: { type: 'cron', fields: { hour: 9, minute: 0 } },
      });
    });

    test('takes all options of a job, of its timing, and of one-offs', async () => {
      const { scheduler } = app;
      const recurring = await scheduler.schedule('work', {
        id: 'recurring',
        name: 'Nightly',
        namespace: 'acme',
        queue: 'slow',
        priority: 'high',
        payload: { a: 1 },
        metadata: { tenant: 'acme' },
        overlap: 'queue',
        misfire: 'all',
        misfireLimit: { count: 5 },
        misfireThreshold: '5s',
        recovery: 'abandon',
        maxRetries: 2,
        backoff: '1s',
        timeout: '30s',
        pauseAfterFailures: 3,
        maxLost: 2,
        every: '1h',
        anchor: '2026-01-01T00:00:00Z',
        startAt: '2026-01-02T00:00:00Z',
        endAt: '2999-01-01T00:00:00Z',
        maxRuns: 10,
        jitter: '5s',
        exclude: [{ weekdays: ['sun'] }],
      });
      expect(await scheduler.getJob('recurring', { namespace: 'acme' })).toEqual(recurring);
      expect(recurring).toMatchObject({
        name: 'Nightly',
        queue: 'slow',
        priority: 2,
        trigger: { every: 3_600_000, maxRuns: 10, jitter: 5_000, exclude: [{ weekdays: expect.anything() }] },
        policies: {
          overlap: 'queue',
          misfire: 'all',
          recovery: 'abandon',
          maxRetries: 2,
          timeoutMs: 30_000,
          pauseAfterFailures: 3,
          maxLost: 2,
        },
      });
      const once = await scheduler.schedule('work', { id: 'once', in: '1h', keep: '1d' });
      expect(once.policies).toEqual({ keepMs: 86_400_000 });
    });

    test.each([
      [{}, InvalidScheduleError, /Give "at" or "in" or "every" or "cron"/],
      [{ at: 0, in: '1s' }, InvalidScheduleError, /2 times, as "at" and as "in"/],
      [{ every: '1m', cron: '* * * * *' }, InvalidScheduleError, /as "every" and as "cron"/],
      [{ every: '1m', keep: '1d' }, InvalidOptionError, /keep.*schedule\(\) with "every" has no such option/],
      [{ in: '1m', maxRuns: 3 }, InvalidOptionError, /maxRuns.*schedule\(\) with "in"/],
      [{ evry: '1m' }, InvalidOptionError, /Did you mean "every"/],
      [{ at: '2020-01-01T00:00:00Z', refusePast: true }, InvalidScheduleError, /past/],
      [{ every: '1m', id: '' }, EmptyJobIdError, /empty/],
      [{ every: '1m', payload: { a: undefined } }, InvalidPayloadError, /payload.a/],
    ])('refuses %o, and stores nothing', async (options, error, message) => {
      const refused = app.scheduler.schedule('work', options as never);
      await expect(refused).rejects.toThrow(error);
      await expect(refused).rejects.toThrow(message);
      expect(await app.scheduler.countJobs()).toBe(0);
    });

    test('refuses a handler that nobody has, unless told otherwise', async () => {
      await expect(app.scheduler.schedule('none', { in: '1h' })).rejects.toThrow(HandlerNotFoundError);
      await app.scheduler.schedule('none', { in: '1h', allowUnknownHandler: true });
      expect(await app.scheduler.countJobs()).toBe(1);
    });
  });

  describe('createMany', () => {
    test('gives one result per item, in order; an item that is wrong does not stop the others', async () => {
      const { scheduler } = app;
      await scheduler.schedule('work', { id: 'taken', in: '1h' });
      const results = await scheduler.createMany([
        { handler: 'work', id: 'a', in: '1h', payload: 1 },
        { handler: 'work', id: 'taken', in: '2h' },
        { handler: 'none', in: '1h' },
        { handler: 'work', cron: 'nonsense' },
        { handler: 'work', id: 'b', every: '5m', metadata: { tenant: 'acme' } },
        null as never,
        { handler: 'work', id: 'a', in: '3h' },
        { handler: 'work', id: 'taken', in: '2h', onConflict: 'ignore' },
        { handler: 'work', id: 'taken', in: '2h', payload: 'new', onConflict: 'replace' },
      ]);
      expect(statuses(results)).toEqual([
        'created',
        'rejected',
        'rejected',
        'rejected',
        'created',
        'rejected',
        'rejected',
        'existing',
        'replaced',
      ]);
      const errors = results.map((result) => (result.status === 'rejected' ? result.error : null));
      expect(errors[1]).toBeInstanceOf(JobAlreadyExistsError);
      expect(errors[2]).toBeInstanceOf(HandlerNotFoundError);
      expect(errors[3]).toBeInstanceOf(InvalidScheduleError);
      expect(errors[5]).toBeInstanceOf(InvalidOptionError);
      expect(errors[6]).toBeInstanceOf(JobAlreadyExistsError);
      expect(results[8]).toMatchObject({ job: { id: 'taken', payload: 'new' } });
      expect((await scheduler.queryJobs()).items.map(({ id }) => id)).toEqual(['a', 'b', 'taken']);
    });

    test('creates more than one batch, and wakes the worker', async () => {
      const ran = app.next('run.succeeded', 'job 1200');
      const items = Array.from({ length: 1_201 }, (_, index) => ({
        handler: 'work',
        id: `job ${index}`,
        ...(index < 1_200 ? { in: '1h' } : { in: 1 }),
      }));
      const results = await app.scheduler.createMany(items);
      expect(new Set(statuses(results))).toEqual(new Set(['created']));
      expect(results.map((result) => 'job' in result && result.job.id)).toEqual(items.map(({ id }) => id));
      await ran;
      expect(await app.scheduler.countJobs()).toBe(1_200);
    });

    test('tells what was there already, by the policy for all items', async () => {
      const items = Array.from({ length: 30 }, (_, index) => ({
        handler: 'work',
        id: `job ${index}`,
        every: '1h',
      }));
      const created = await app.scheduler.createMany(items.slice(10), { onConflict: 'ignore' });
      const both = await app.scheduler.createMany(items, { onConflict: 'ignore' });
      expect(statuses(both)).toEqual([...Array(10).fill('created'), ...Array(20).fill('existing')]);
      expect(both.slice(10).map((result) => 'job' in result && result.job)).toEqual(
        created.map((result) => 'job' in result && result.job),
      );
      const again = await app.scheduler.createMany(
        items.map((item) => ({ ...item, every: '2h' })),
        { onConflict: 'replace' },
      );
      expect(new Set(statuses(again))).toEqual(new Set(['replaced']));
      expect((await app.scheduler.getJob('job 7'))?.trigger).toMatchObject({ every: 7_200_000 });
    });

    test('stores the first of the same id, wherever the others are, and replaces by the last', async () => {
      const { scheduler } = app;
      const items = Array.from({ length: 1_600 }, (_, n) => ({
        handler: 'work',
        in: '1h',
        payload: n,
        ...(n % 400 === 0 ? { id: 'twice' } : n % 3 === 0 ? {} : { id: `job ${n}` }),
      }));
      const results = await scheduler.createMany(items);
      expect(results.flatMap(({ status }, n) => (status === 'created' ? [] : [[n, status]]))).toEqual([
        [400, 'rejected'],
        [800, 'rejected'],
        [1_200, 'rejected'],
      ]);
      expect(results.map((result) => 'job' in result && result.job.payload)).toEqual(
        items.map(({ payload }) => (payload % 400 !== 0 || payload === 0 ? payload : false)),
      );
      expect((await scheduler.getJob('twice'))?.payload).toBe(0);
      await scheduler.createMany(items, { onConflict: 'replace' });
      expect((await scheduler.getJob('twice'))?.payload).toBe(1_200);
    });

    test('takes an empty list, and refuses what is no list', async () => {
      expect(await app.scheduler.createMany([])).toEqual([]);
      await expect(app.scheduler.createMany({} as never)).rejects.toThrow(InvalidOptionError);
      await expect(app.scheduler.createMany([], { onConflict: 'skip' as never })).rejects.toThrow(
        /onConflict/,
      );
    });
  });

  describe('upsert', () => {
    test('creates, then replaces, and says which', async () => {
      const { scheduler } = app;
      const first = await scheduler.upsert({ id: 'job', handler: 'work', every: '1h' });
      expect(first).toMatchObject({ status: 'created', job: { revision: 1 } });
      const second = await scheduler.upsert({ id: 'job', handler: 'work', cron: '0 9 * * *', payload: 2 });
      expect(second).toMatchObject({ status: 'replaced', job: { payload: 2, trigger: { type: 'cron' } } });
      expect(await scheduler.getJob('job')).toEqual(second.job);
    });

    test('needs an id', async () => {
      await expect(app.scheduler.upsert({ handler: 'work', every: '1h' })).rejects.toThrow(EmptyJobIdError);
      const ignore = { id: 'job', handler: 'work', every: '1h', onConflict: 'ignore' as const };
      await expect(app.scheduler.upsert(ignore)).rejects.toThrow(/always replaces/);
    });

    test('replaces a job that runs: the run goes on, the next one has the new definition', async () => {
      const { scheduler } = app;
      await scheduler.upsert({ id: 'job', handler: 'wait', every: '1h', payload: 'old' });
      const started = app.next('run.started', 'job');
      await scheduler.runNow('job');
      await started;
      const ended = app.next('run.succeeded', 'job');
      const { status } = await scheduler.upsert({ id: 'job', handler: 'work', every: '2h', payload: 'new' });
      expect(status).toBe('replaced');
      gate.release();
      await ended;
      expect(await scheduler.getJob('job')).toMatchObject({ handler: 'work', payload: 'new', runCount: 1 });
    });

    test('replaces a job that waits for a retry, and one that is paused, which stays paused', async () => {
      const { scheduler } = app;
      await scheduler.upsert({ id: 'job', handler: 'fail', every: '1h', maxRetries: 1, backoff: '1h' });
      const retrying = app.next('run.retrying', 'job');
      const { id: runId } = await scheduler.runNow('job');
      await retrying;
      await scheduler.upsert({ id: 'job', handler: 'work', every: '1h' });
      expect((await scheduler.getRuns({ runId })).items).toMatchObject([
        { handler: 'work', state: 'waiting' },
      ]);
      await scheduler.pauseJob('job');
      const { job } = await scheduler.upsert({ id: 'job', handler: 'work', every: '3h' });
      expect(job).toMatchObject({ state: 'paused', nextRunAt: null });
    });
  });
});

test('createMany does not ask a storage again that does not answer', async () => {
  const faulty = new FaultyStorage(new MemoryStorage());
  const app = await NestApp.boot({ chronis: { storage: faulty.storage, autoStart: false } });
  app.scheduler.registerHandler('work', () => undefined);
  const items = Array.from({ length: 2_000 }, (_, index) => ({
    handler: 'work',
    id: `job ${index}`,
    in: '1h',
  }));
  await app.scheduler.createMany(items.slice(0, 1));
  const insert = faulty.storage.insertJobs.bind(faulty.storage);
  let calls = 0;
  Object.assign(faulty.storage, {
    insertJobs: (...args: Parameters<typeof insert>) => {
      if (++calls === 2) throw new StorageError('The storage is away.');
      return insert(...args);
    },
  });
  const results = await app.scheduler.createMany(items);
  expect(calls).toBe(2);
  expect(statuses(results.slice(0, 500))).toEqual(['rejected', ...Array(499).fill('created')]);
  for (const result of results.slice(500)) expect(result).toMatchObject({ error: expect.any(StorageError) });
  expect(results).toHaveLength(2_000);
  await app.close();
});

test('createMany has two batches under way, and the next one checked meanwhile', async () => {
  const faulty = new FaultyStorage(new MemoryStorage());
  const app = await NestApp.boot({ chronis: { storage: faulty.storage, autoStart: false } });
  app.scheduler.registerHandler('work', () => undefined);
  await app.scheduler.schedule('work', { in: '1h' });
  const insert = faulty.storage.insertJobs.bind(faulty.storage);
  const calls: (() => void)[] = [];
  let most = 0;
  Object.assign(faulty.storage, {
    insertJobs: async (...args: Parameters<typeof insert>) => {
      await new Promise<void>((resolve) => {
        most = Math.max(most, calls.push(resolve));
        const isLast = args[0].length < 500;
        // Whoever could send another one does so before this.
        if (calls.length === 2) setImmediate(() => calls.splice(0, isLast ? 2 : 1).forEach((go) => go()));
      });
      return insert(...args);
    },
  });
  const items = Array.from({ length: 2_100 }, (_, index) => ({ handler: 'work', in: '1h', payload: index }));
  const results = await app.scheduler.createMany(items);
  expect(results.map((result) => 'job' in result && result.job.payload)).toEqual([...items.keys()]);
  expect(most).toBe(2);
  await app.close();
});

test('createMany does not send a batch before another one that has the same id', async () => {
  const faulty = new FaultyStorage(new MemoryStorage());
  const app = await NestApp.boot({ chronis: { storage: faulty.storage, autoStart: false } });
  app.scheduler.registerHandler('work', () => undefined);
  const insert = faulty.storage.insertJobs.bind(faulty.storage);
  let calls = 0;
  Object.assign(faulty.storage, {
    insertJobs: async (...args: Parameters<typeof insert>) => {
      // Others would overtake the first one.
      if (++calls === 1) await new Promise((resolve) => setImmediate(resolve));
      return insert(...args);
    },
  });
  const items = Array.from({ length: 1_000 }, (_, n) => ({
    handler: 'work',
    in: '1h',
    id: `job ${n % 999}`,
  }));
  const results = await app.scheduler.createMany(items);
  expect(statuses(results)).toEqual([...Array(999).fill('created'), 'rejected']);
  await app.close();
});

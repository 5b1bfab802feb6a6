import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvalidOptionError, StorageError, type ManyResult, type SchedulerService } from '../../lib/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { FaultyStorage } from '../support/faulty.storage.js';
import { NestApp } from '../support/nest.app.js';
import { Gate, RealApp, storageKinds } from '../support/real.app.js';

type Call = 'pauseMany' | 'resumeMany' | 'cancelMany' | 'deleteMany';
const calls: Call[] = ['pauseMany', 'resumeMany', 'cancelMany', 'deleteMany'];
const counts = ({ matched, changed, failed }: ManyResult) => [matched, changed, failed.length];

describe.each(storageKinds)('changes of many jobs on %s', (kind) => {
  let app: RealApp;
  let scheduler: SchedulerService;
  let gate: Gate;

  beforeEach(async () => {
    app = await RealApp.boot(kind);
    ({ scheduler } = app);
    gate = new Gate();
    scheduler.registerHandler('work', () => undefined);
    scheduler.registerHandler('wait', ({ signal }) =>
      Promise.race([
        gate.passed,
        new Promise((_, stop) => signal.addEventListener('abort', () => stop(signal.reason))),
      ]),
    );
    scheduler.registerHandler('fail', () => Promise.reject(new Error('not today')));
  });
  afterEach(async () => {
    gate.release();
    await app.close();
  });

  /** Two that are still, one that runs and one that waits for a retry, all of one tenant, and one of another. */
  async function jobs(): Promise<void> {
    const metadata = { tenant: 'acme' };
    const running = app.next('run.started', 'c running');
    const retrying = app.next('run.retrying', 'd retrying');
    const results = await scheduler.createMany([
      { handler: 'work', id: 'a once', in: '1h', metadata },
      { handler: 'work', id: 'b hourly', every: '1h', metadata },
      { handler: 'wait', id: 'c running', in: 1, metadata },
      { handler: 'fail', id: 'd retrying', in: 1, maxRetries: 1, backoff: '1h', metadata },
      { handler: 'work', id: 'e other', every: '1h', metadata: { tenant: 'bolt' } },
    ]);
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill('created'));
    await Promise.all([running, retrying]);
  }
  const states = async () => (await scheduler.queryJobs()).items.map(({ state }) => state);
  const acme = { 'metadata.tenant': 'acme' };

  test('pause and resume what the filter says, also while it runs or waits for a retry', async () => {
    await jobs();
    expect(counts(await scheduler.pauseMany(acme, { reason: 'audit', by: 'ops' }))).toEqual([4, 4, 0]);
    expect(await states()).toEqual(['paused', 'paused', 'running', 'paused', 'pending']);
    expect((await scheduler.getJob('b hourly'))?.paused).toMatchObject({ reason: 'audit', by: 'ops' });
    expect(counts(await scheduler.pauseMany(acme))).toEqual([4, 0, 0]);
    expect(counts(await scheduler.resumeMany({ metadata: { tenant: 'acme' } }))).toEqual([4, 4, 0]);
    expect(await states()).toEqual(['pending', 'pending', 'running', 'scheduled', 'pending']);
    expect((await scheduler.getJob('b hourly'))!.nextRunAt!.getTime()).toBeGreaterThan(Date.now());
    expect(counts(await scheduler.resumeMany(acme))).toEqual([4, 0, 0]);
  });

  test('cancel what waits, runs, is paused, or waits for a retry', async () => {
    await jobs();
    await scheduler.pauseJob('a once');
    const cancelled = app.next('run.cancelled', 'c running');
    expect(counts(await scheduler.cancelMany(acme))).toEqual([4, 3, 0]);
    await cancelled;
    expect(await states()).toEqual(['pending', 'pending']);
    expect((await scheduler.getAttempts({ outcome: 'cancelled' })).items).toHaveLength(3);
  });

  test('delete what the filter says; a run that goes on ends with its attempt', async () => {
    await jobs();
    await scheduler.pauseJob('b hourly');
    const ended = app.next('run.succeeded', 'c running');
    expect(counts(await scheduler.deleteMany({ ...acme, handler: ['work', 'wait', 'fail'] }))).toEqual([
      4, 4, 0,
    ]);
    expect((await scheduler.queryJobs()).items.map(({ id }) => id)).toEqual(['e other']);
    gate.release();
    await ended;
  });

  test('concern the jobs and the runs that are named, up to 1,000', async () => {
    await jobs();
    const id = ['b hourly', 'e other', 'nobody'];
    expect(counts(await scheduler.pauseMany({ id, namespace: 'default' }))).toEqual([2, 2, 0]);
    expect(await states()).toEqual(['pending', 'paused', 'running', 'scheduled', 'paused']);
    expect(counts(await scheduler.forTenant('acme').deleteMany({ id }))).toEqual([0, 0, 0]);
    const many = Array.from({ length: 1_001 }, (_, nr) => `${nr}`);
    await expect(scheduler.cancelMany({ id: many })).rejects.toThrow(
      'id: takes 1000 ids at most, but has 1001. Ask for them in parts.',
    );
    await expect(scheduler.retryFailed({ runId: many })).rejects.toThrow('runId: takes 1000 ids at most');
    expect(await scheduler.discardFailed({ runId: [] })).toEqual({ found: 0, changed: 0 });
  });

  test('only count in a dry run', async () => {
    await jobs();
    const before = await scheduler.queryJobs();
    for (const call of calls) {
      expect(await scheduler[call](acme, { dryRun: true })).toEqual({
        matched: 4,
        changed: 0,
        failed: [],
        first: ['a once', 'b hourly', 'c running', 'd retrying'].map((id) => ({ namespace: 'default', id })),
      });
    }
    expect(await scheduler.queryJobs()).toEqual(before);
  });

  test('go through all pages, while others change the same jobs', async () => {
    const items = Array.from({ length: 1_250 }, (_, index) => ({
      handler: 'work',
      id: `job ${index}`,
      every: '1h',
    }));
    await scheduler.createMany(items);
    const results = await Promise.all([
      scheduler.pauseMany({ idPrefix: 'job' }),
      scheduler.pauseMany({}, { all: true }),
    ]);
    expect(results.map(({ matched }) => matched)).toEqual([1_250, 1_250]);
    expect(results[0]!.changed + results[1]!.changed).toBe(1_250);
    const [deleted] = await Promise.all([
      scheduler.deleteMany({ state: 'paused' }),
      scheduler.deleteMany({ idPrefix: 'job 1' }),
    ]);
    expect(deleted.failed).toEqual([]);
    expect(await scheduler.countJobs()).toBe(0);
  });

  test('refuse a condition that is undefined, also beside others and where all are meant', async () => {
    await jobs();
    for (const call of calls) {
      for (const filter of [{ handler: undefined }, { queue: 'default', idPrefix: undefined }]) {
        const refused = scheduler[call](filter, { all: true });
        await expect(refused).rejects.toThrow(InvalidOptionError);
        await expect(refused).rejects.toThrow(
          `${Object.keys(filter).at(-1)}: is undefined, so ${call}() would take whatever its`,
        );
      }
    }
    expect((await scheduler.queryJobs({ handler: undefined })).items).toHaveLength(5);
    for (const filter of [{ handler: undefined }, { jobId: undefined, queue: 'default' }]) {
      for (const scope of [scheduler, scheduler.forTenant('acme')]) {
        await expect(scope.retryFailed(filter)).rejects.toThrow(/(handler|jobId): is undefined, so/);
        await expect(scope.discardFailed(filter)).rejects.toThrow(/(handler|jobId): is undefined, so/);
      }
    }
    expect(await scheduler.retryFailed()).toEqual({ found: 0, changed: 0 });
    expect(await scheduler.discardFailed({})).toEqual({ found: 0, changed: 0 });
  });

  test('refuse an empty filter unless told that all are meant, and wrong options', async () => {
    await jobs();
    for (const call of calls) {
      const refused = scheduler[call]({});
      await expect(refused).rejects.toThrow(InvalidOptionError);
      await expect(refused).rejects.toThrow(
        `filter: is empty, so ${call}() would concern all jobs there are`,
      );
      await expect(scheduler[call]({ metadata: {} }, { dryRun: true })).rejects.toThrow(
        `If that is meant, say so: ${call}({}, { all: true }).`,
      );
      await expect(scheduler[call]({ all: true } as never)).rejects.toThrow(
        `all: the filter of ${call}() has no such option. Give it behind the filter, as an argument of its own: ({}, { all: true }).`,
      );
      await expect(scheduler[call]({ handler: 'work', dryRun: true } as never)).rejects.toThrow(
        `dryRun: the filter of ${call}() has no such option. Give it behind the filter`,
      );
      await expect(scheduler[call]({ limit: 3 } as never)).rejects.toThrow(/limit/);
      await expect(scheduler[call]({ queue: 'x' }, { dryrun: true } as never)).rejects.toThrow(/"dryRun"/);
    }
    expect(counts(await scheduler.deleteMany({}, { all: true }))).toEqual([5, 5, 0]);
  });
});

describe('a job that cannot be changed', () => {
  async function boot() {
    const faulty = new FaultyStorage(new MemoryStorage());
    const app = await NestApp.boot({ chronis: { storage: faulty.storage, autoStart: false } });
    app.scheduler.registerHandler('work', () => undefined);
    const ids = Array.from({ length: 10 }, (_, index) => `job ${index}`);
    await app.scheduler.createMany(ids.map((id) => ({ handler: 'work', id, every: '1h' })));
    return { app, storage: faulty.storage };
  }

  test('is named, and does not stop the others', async () => {
    const { app, storage } = await boot();
    const changeJobs = storage.changeJobs.bind(storage);
    Object.assign(storage, {
      changeJobs: (...[refs, change]: Parameters<typeof changeJobs>) => {
        if (refs.some(({ id }) => id === 'job 3')) return Promise.reject(new RangeError('no such calendar'));
        return changeJobs(refs, change);
      },
    });
    const result = await app.scheduler.pauseMany({ handler: 'work' });
    expect(result).toMatchObject({
      matched: 10,
      changed: 9,
      failed: [{ ref: { namespace: 'default', id: 'job 3' }, error: expect.any(RangeError) }],
    });
    await app.close();
  });

  test('ends the whole when the storage is away', async () => {
    const { app, storage } = await boot();
    let asked = 0;
    const away = (): Promise<never> => {
      asked++;
      return Promise.reject(new StorageError('away'));
    };
    Object.assign(storage, { changeJobs: away });
    await expect(app.scheduler.pauseMany({ handler: 'work' })).rejects.toThrow('away');
    expect(asked).toBe(1);
    await app.close();
  });
});

describe.each(storageKinds)('changes of many in steps on %s', (kind) => {
  let app: RealApp;
  afterEach(() => app.close());

  const boot = async (count: number) => {
    app = await RealApp.boot(kind);
    app.scheduler.registerHandler('work', () => undefined);
    const jobs = Array.from({ length: count }, (_, nr) => ({
      handler: 'work',
      id: `job-${nr}`,
      every: '1h',
    }));
    await app.scheduler.createMany(jobs as never);
    return app.scheduler;
  };

  test('concern no more than is said, and tell how far they are', async () => {
    const scheduler = await boot(230);
    const told: object[] = [];
    const result = await scheduler.pauseMany(
      {},
      { all: true, most: 130, onStep: (soFar) => told.push(soFar) },
    );
    expect(counts(result)).toEqual([130, 130, 0]);
    expect(told).toEqual([
      { matched: 100, changed: 100 },
      { matched: 130, changed: 130 },
    ]);
    expect(await scheduler.countJobs({ state: 'paused' })).toBe(130);
    expect(counts(await scheduler.resumeMany({}, { all: true, most: 0 }))).toEqual([0, 0, 0]);
  });

  test('end between two steps, with what is done', async () => {
    const scheduler = await boot(230);
    const abort = new AbortController();
    const onStep = () => abort.abort();
    const result = await scheduler.deleteMany({}, { all: true, signal: abort.signal, onStep });
    expect(counts(result)).toEqual([100, 100, 0]);
    expect(await scheduler.countJobs()).toBe(130);
  });
});

import { afterEach, describe, expect, test } from 'vitest';
import type { RunContext } from '../../lib/engine/run.context.js';
import {
  InvalidPayloadError,
  RetryAfterError,
  RunHasVerdictError,
  RunNotFoundError,
  RunNotOpenError,
  UnrecoverableError,
} from '../../lib/model/errors.js';
import type { ListedRun, Run } from '../../lib/model/run.js';
import { NestApp } from '../support/nest.app.js';

const minute = 60_000;

describe('a verdict from outside', () => {
  let apps: NestApp[] = [];

  afterEach(async () => {
    for (const app of apps) await app.close();
    apps = [];
  });

  /** An application whose handler leaves its runs open. */
  async function boot(
    handler: (context: RunContext) => unknown = (context) => context.open(),
  ): Promise<NestApp> {
    const app = await NestApp.boot();
    apps.push(app);
    app.scheduler.registerHandler('order', handler);
    return app;
  }

  /** Another process on the same jobs, which runs none. */
  async function api({ storage, clock }: NestApp): Promise<NestApp> {
    const app = await NestApp.boot({ storage, clock, chronis: { autoStart: false } });
    apps.push(app);
    return app;
  }

  async function opened(app: NestApp, options: object = {}): Promise<Run> {
    await app.scheduler.schedule('order', { id: 'order-7', in: '0s', ...options });
    await app.settle();
    return (await app.scheduler.getRuns({ state: 'open' })).items[0]!;
  }

  test('completes the run from any process, with a result', async () => {
    const app = await boot();
    const { id } = await opened(app);
    const { scheduler } = await api(app);
    expect(await scheduler.complete(id, { paid: 7, at: new Date(0) })).toBeUndefined();
    expect(await scheduler.waitForRun(id)).toMatchObject({
      verdict: 'succeeded',
      result: { paid: 7, at: '1970-01-01T00:00:00.000Z' },
      attempts: [{ outcome: 'opened' }, { outcome: 'succeeded', worker: 'outside' }],
    });
  });

  test('tells the events of a verdict, and ends the wait for it', async () => {
    const app = await boot();
    const { id } = await opened(app);
    const waited = app.scheduler.waitForRun(id);
    await app.settle();
    await app.clock.advanceBy(1_000);
    await app.scheduler.complete(id);
    expect(await app.passUntil(waited)).toMatchObject({ verdict: 'succeeded', result: null });
    expect(app.heard('run.succeeded')).toMatchObject([
      { runId: id, jobId: 'order-7', attempt: 1, workerId: 'outside', durationMs: expect.any(Number) },
    ]);
  });

  test('fails the run, which is tried again as its job says', async () => {
    const attempts: number[] = [];
    const app = await boot((context) => (attempts.push(context.attempt), context.open()));
    const { id } = await opened(app, { maxRetries: 2, backoff: { type: 'fixed', delayMs: minute } });
    const { scheduler } = await api(app);
    expect(await scheduler.fail(id, new Error('declined'))).toEqual({
      retryAt: new Date(app.clock.now() + minute),
    });
    expect((await scheduler.getRuns({ runId: id })).items).toMatchObject([
      { state: 'waiting', lastError: expect.stringContaining('declined') },
    ]);
    await app.clock.advanceBy(minute);
    expect(attempts).toEqual([1, 2]);
    const later = await scheduler.fail(id, new RetryAfterError('5m', 'come back'));
    expect(later).toEqual({ retryAt: new Date(app.clock.now() + 5 * minute) });
    await app.clock.advanceBy(5 * minute);
    expect(attempts).toEqual([1, 2, 3]);
    expect(await scheduler.fail(id, 'declined for good')).toEqual({ retryAt: null });
    expect(await scheduler.waitForRun(id)).toMatchObject({ verdict: 'failed', error: 'declined for good' });
  });

  test('fails the run for good where it says so, and counts for the pause of its job', async () => {
    const app = await boot();
    const api2 = await api(app);
    await app.scheduler.createIntervalJob({
      ...{ id: 'hourly', handler: 'order', every: '1h', maxRetries: 5, pauseAfterFailures: 1 },
    });
    await app.clock.advanceBy(60 * minute);
    const [run] = (await app.scheduler.getRuns({ state: 'open' })).items;
    expect(await app.scheduler.getJob('hourly')).toMatchObject({ state: 'running' });
    expect(await api2.scheduler.fail(run!.id, new UnrecoverableError('no such account'))).toEqual({
      retryAt: null,
    });
    expect(await app.scheduler.getJob('hourly')).toMatchObject({
      paused: { by: 'chronis', reason: expect.stringContaining('no such account') },
      ...{ consecutiveFailures: 1, lastVerdict: 'failed' },
    });
    expect(api2.heard('job.paused')).toMatchObject([{ id: 'hourly' }]);
  });

  test('calls back', async () => {
    const told: unknown[] = [];
    const app = await boot();
    app.scheduler.registerHandler('told', ({ payload }) => void told.push(payload));
    const { id } = await opened(app, { onSuccess: 'told', payload: { order: 7 } });
    await (await api(app)).scheduler.complete(id, 'paid');
    await app.settle();
    expect(told).toMatchObject([{ runId: id, verdict: 'succeeded', result: 'paid', payload: { order: 7 } }]);
  });

  test('lets go of what waited for the run', async () => {
    const app = await boot();
    await app.scheduler.createIntervalJob({ id: 'hourly', handler: 'order', every: '1h', overlap: 'queue' });
    await app.clock.advanceBy(2 * 60 * minute);
    const states = async () => (await app.scheduler.getRuns()).items.map(({ state }) => state);
    expect(await states()).toEqual(['blocked', 'open']);
    const [run] = (await app.scheduler.getRuns({ state: 'open' })).items;
    await app.scheduler.complete(run!.id);
    await app.settle();
    expect(await states()).toEqual(['open']);
  });

  test('is refused where the run has its verdict, which is told', async () => {
    const app = await boot();
    const { id } = await opened(app);
    await app.scheduler.complete(id);
    for (const call of [app.scheduler.complete(id), app.scheduler.fail(id, 'no')]) {
      const error = await call.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(RunHasVerdictError);
      expect(error).toMatchObject({ verdict: 'succeeded', runId: id });
    }
    const other = await opened(app, { id: 'other' });
    expect(await app.scheduler.cancelRun(other.id)).toBe('cancelled');
    await expect(app.scheduler.complete(other.id)).rejects.toMatchObject({ verdict: 'cancelled' });
    const kept = await opened(app, { id: 'kept', keep: 'forever' });
    await app.scheduler.fail(kept.id, 'no');
    await expect(app.scheduler.complete(kept.id)).rejects.toMatchObject({ verdict: 'failed' });
  });

  test('is refused where the run waits, was never there, or left nothing', async () => {
    const app = await boot();
    await app.scheduler.schedule('order', { id: 'later', in: '1h' });
    const [{ id }] = (await app.scheduler.getRuns()).items as [ListedRun];
    await expect(app.scheduler.complete(id)).rejects.toThrow(RunNotOpenError);
    await expect(app.scheduler.complete('987654321')).rejects.toThrow(RunNotFoundError);
    const silent = await opened(app, { keep: 'none' });
    await app.scheduler.complete(silent.id);
    await expect(app.scheduler.complete(silent.id)).rejects.toThrow(RunNotFoundError);
  });

  test('waits for a handler that is about to leave the run open', async () => {
    let goOn = (): void => undefined;
    const app = await boot(async (context) => {
      await new Promise<void>((resolve) => (goOn = resolve));
      context.open();
    });
    await app.scheduler.schedule('order', { in: '0s' });
    await app.settle();
    const [{ id }] = (await app.scheduler.getRuns({ state: 'running' })).items as [ListedRun];
    const completed = app.scheduler.complete(id, 'quick');
    await app.clock.advanceBy(1_000);
    goOn();
    await app.clock.advanceBy(1_000);
    await completed;
    expect(await app.scheduler.waitForRun(id)).toMatchObject({ result: 'quick' });
  });

  test('waits no longer than it may for a handler that goes on', async () => {
    let goOn = (): void => undefined;
    const app = await boot(() => new Promise<void>((resolve) => (goOn = resolve)));
    await app.scheduler.schedule('order', { in: '0s' });
    await app.settle();
    const [{ id }] = (await app.scheduler.getRuns({ state: 'running' })).items as [ListedRun];
    await expect(app.scheduler.complete(id, null, { wait: 0 })).rejects.toMatchObject({ state: 'running' });
    const outcome = app.scheduler.fail(id, 'no').catch((error: unknown) => error);
    await app.clock.advanceBy(5_000);
    expect(await outcome).toBeInstanceOf(RunNotOpenError);
    goOn();
    await app.settle();
  });

  test.each([
    ['a function', () => 7],
    [
      'what holds itself',
      Object.assign([] as unknown[], { 0: null })
        .fill(null)
        .concat([Symbol('s')]),
    ],
    ['more than the record keeps', 'x'.repeat(70_000)],
  ])('is refused with a result that is %s, and nothing was done', async (_, result) => {
    const app = await boot();
    const { id } = await opened(app);
    await expect(app.scheduler.complete(id, result)).rejects.toThrow(InvalidPayloadError);
    expect((await app.scheduler.getRuns({ state: 'open' })).items).toHaveLength(1);
  });

  test('takes a result of as many characters as the handler may return, however many bytes they are', async () => {
    const app = await boot();
    const longest = 'é'.repeat(65_534);
    const { id } = await opened(app);
    const tooLong = `${longest}é`;
    await expect(app.scheduler.complete(id, tooLong)).rejects.toThrow(
      'is 65537 characters as JSON, more than the limit of 65536. Store large things elsewhere, and give where they are.',
    );
    await app.scheduler.complete(id, longest);
    const [attempt] = (await app.scheduler.getAttempts({ runId: id, finalOnly: true })).items;
    expect(attempt!.result).toBe(longest);
  });

  test('counts only with its transaction, and is told of nowhere before', async () => {
    const app = await boot();
    const { id } = await opened(app);
    const { storage, scheduler } = app;
    await expect(
      storage.inTransaction(async (manager) => {
        await scheduler.complete(id, 'paid', { manager });
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    expect((await scheduler.getRuns({ state: 'open' })).items).toHaveLength(1);
    await storage.inTransaction((manager) => scheduler.complete(id, 'paid', { manager }));
    expect(await scheduler.waitForRun(id)).toMatchObject({ result: 'paid' });
    expect(app.heard('run.succeeded')).toEqual([]);
  });

  test('of a tenant is for its own runs', async () => {
    const app = await boot();
    await app.scheduler.forTenant('acme').schedule('order', { in: '0s' });
    await app.settle();
    const [{ id }] = (await app.scheduler.getRuns({ state: 'open' })).items as [ListedRun];
    const other = app.scheduler.forTenant('other');
    await expect(other.complete(id)).rejects.toThrow(RunNotFoundError);
    await expect(other.fail(id, 'no')).rejects.toThrow(RunNotFoundError);
    await app.scheduler.forTenant('acme').complete(id, 'paid');
    expect(await app.scheduler.waitForRun(id)).toMatchObject({ result: 'paid' });
  });

  test('of a one-off that is run now while it is open comes to that run', async () => {
    const app = await boot();
    const { id } = await opened(app);
    expect(await app.scheduler.runNow('order-7')).toMatchObject({ id, state: 'open', alreadyRunning: true });
  });

  test.each([
    ['an unknown option', { until: 1 }],
    ['a wait that is none', { wait: 'soon' }],
  ])('refuses %s', async (_, options) => {
    const app = await boot();
    const { id } = await opened(app);
    await expect(app.scheduler.complete(id, null, options as never)).rejects.toThrow(/until|wait/);
    await app.scheduler.complete(id);
  });
});

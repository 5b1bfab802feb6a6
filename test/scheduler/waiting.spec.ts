import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  InvalidOptionError,
  RunNotFoundError,
  RunWaitTimeoutError,
  StorageError,
  type Run,
  type RunContext,
} from '../../lib/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { FaultyStorage } from '../support/faulty.storage.js';
import { NestApp } from '../support/nest.app.js';
import { Gate, RealApp, storageKinds } from '../support/real.app.js';

describe.each(storageKinds)('waitForRun on %s', (kind) => {
  let app: RealApp;
  let gate: Gate;

  beforeEach(async () => {
    app = await RealApp.boot(kind);
    gate = new Gate();
    app.scheduler.registerHandler('double', ({ payload }: RunContext<number>) => payload * 2);
    app.scheduler.registerHandler('wait', async () => {
      await gate.passed;
      return 'waited';
    });
    app.scheduler.registerHandler('fail', ({ attempt }) => Promise.reject(new Error(`attempt ${attempt}`)));
  });
  afterEach(async () => {
    gate.release();
    await app.close();
  });

  const runOf = async (jobId: string): Promise<Run> => {
    const [run] = (await app.scheduler.getRuns({ jobId })).items;
    return run!;
  };

  test('gives the result of a one-off that waits, though it is gone by then', async () => {
    await app.scheduler.schedule('double', { id: 'job', in: '100ms', payload: 21 });
    const { id } = await runOf('job');
    const outcome = await app.scheduler.waitForRun<number>(id);
    expect(outcome).toMatchObject({ verdict: 'succeeded', result: 42, error: null, run: null });
    expect(outcome.attempts).toMatchObject([{ runId: id, attempt: 1, outcome: 'succeeded', final: true }]);
  });

  test('gives a verdict that was given long before', async () => {
    const succeeded = app.next('run.succeeded', 'job');
    await app.scheduler.schedule('double', { id: 'job', in: 1, payload: 4 });
    const { runId } = await succeeded;
    expect(await app.scheduler.waitForRun(runId)).toMatchObject({ verdict: 'succeeded', result: 8 });
  });

  test('gives the verdict of the run that is named, and not that of its retry by hand', async () => {
    let isBroken = true;
    app.scheduler.registerHandler('mended', () => {
      if (isBroken) throw new Error('broken');
      return 'mended';
    });
    const failed = app.next('run.failed', 'job');
    await app.scheduler.schedule('mended', { id: 'job', in: 1 });
    const { runId } = await failed;
    isBroken = false;
    const { id } = await app.scheduler.retryRun(runId);
    expect(await app.scheduler.waitForRun(id)).toMatchObject({ verdict: 'succeeded', result: 'mended' });
    expect(await app.scheduler.waitForRun(runId)).toMatchObject({ verdict: 'failed', run: null });
  });

  test('waits for a run that goes on, and for all its retries', async () => {
    const started = app.next('run.started', 'slow');
    await app.scheduler.schedule('wait', { id: 'slow', in: 1 });
    const slow = app.scheduler.waitForRun((await started).runId);
    gate.release();
    expect(await slow).toMatchObject({ verdict: 'succeeded', result: 'waited' });

    const retrying = app.next('run.retrying', 'failing');
    await app.scheduler.schedule('fail', { id: 'failing', in: 1, maxRetries: 1, backoff: '100ms' });
    const outcome = await app.scheduler.waitForRun((await retrying).runId);
    expect(outcome).toMatchObject({
      verdict: 'failed',
      result: null,
      error: expect.stringContaining('attempt 2'),
      run: { jobId: 'failing', state: 'failed' },
    });
    expect(outcome.attempts.map(({ attempt, final }) => [attempt, final])).toEqual([
      [1, false],
      [2, true],
    ]);
  });

  test('waits for a run of another process, also where no jobs run in this one', async () => {
    const other = await app.beside({ autoStart: false });
    const { id } = await app.scheduler.schedule('wait', { in: '1h' });
    const started = app.next('run.started', id);
    const run = await app.scheduler.runNow(id);
    await started;
    const outcome = other.scheduler.waitForRun(run.id);
    gate.release();
    expect(await outcome).toMatchObject({ verdict: 'succeeded', result: 'waited' });
    await other.close();
  });

  test('tells of a run that is cancelled, or whose job is deleted, while it waits or is paused', async () => {
    for (const end of ['cancelRun', 'deleteJob'] as const) {
      for (const paused of [false, true]) {
        await app.scheduler.schedule('double', { id: 'job', in: '1h' });
        if (paused) await app.scheduler.pauseJob('job');
        const { id } = await runOf('job');
        const outcome = app.scheduler.waitForRun(id);
        await app.scheduler[end](end === 'cancelRun' ? id : 'job');
        expect(await outcome).toMatchObject({ verdict: 'cancelled', result: null, error: null, run: null });
      }
    }
  });

  test('gives what is kept of a job without a record', async () => {
    await app.scheduler.schedule('fail', { id: 'job', in: '1h', keep: 'none' });
    const run = await app.scheduler.runNow('job');
    expect(await app.scheduler.waitForRun(run.id)).toMatchObject({
      verdict: 'failed',
      error: expect.stringContaining('attempt 1'),
      attempts: [],
    });
    await app.scheduler.schedule('double', { id: 'silent', in: '1h', payload: 1, keep: 'none' });
    const silent = await app.scheduler.runNow('silent');
    await expect(app.scheduler.waitForRun(silent.id)).rejects.toThrow(/keep: 'none'/);
  });

  test('refuses what no run has as its id, and wrong options', async () => {
    await expect(app.scheduler.waitForRun('987654321')).rejects.toThrow(RunNotFoundError);
    await expect(app.scheduler.waitForRun('no run')).rejects.toThrow(RunNotFoundError);
    await expect(app.scheduler.waitForRun('')).rejects.toThrow(InvalidOptionError);
    await expect(app.scheduler.waitForRun('1', { timeOut: 1 } as never)).rejects.toThrow(/"timeout"/);
    await expect(app.scheduler.waitForRun('1', { timeout: 'soon' })).rejects.toThrow(/timeout/);
  });

  test('ends by its signal, also by one that has fired before', async () => {
    await app.scheduler.schedule('double', { id: 'job', in: '1h' });
    const { id } = await runOf('job');
    const controller = new AbortController();
    const waiting = app.scheduler.waitForRun(id, { signal: controller.signal });
    const reason = new Error('not needed any more');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(app.scheduler.waitForRun(id, { signal: controller.signal })).rejects.toBe(reason);
    expect(await runOf('job')).toMatchObject({ state: 'waiting' });
  });
});

describe('waitForRun, by the clock', () => {
  async function boot() {
    const clock = new ManualClock();
    const faulty = new FaultyStorage(new MemoryStorage({ clock }));
    const app = await NestApp.boot({ clock, chronis: { storage: faulty.storage, autoStart: false } });
    app.scheduler.registerHandler('work', () => undefined);
    await app.scheduler.schedule('work', { id: 'job', in: '1h' });
    const [run] = (await app.scheduler.getRuns()).items;
    return { app, faulty, clock, runId: run!.id };
  }

  test('ends after its timeout, and leaves no timer behind', async () => {
    const { app, clock, runId, faulty } = await boot();
    const waiting = app.scheduler.waitForRun(runId, { timeout: '5s' });
    const refused = expect(waiting).rejects.toThrow(RunWaitTimeoutError);
    await clock.advanceBy(4_999);
    const looks = faulty.calls.filter((call) => call === 'queryRuns').length;
    // At 0, 50, 150, 350, 750, 1550, 2550, 3550 and 4550 ms, and one by the test.
    expect(looks).toBe(10);
    await clock.advanceBy(1);
    await refused;
    await clock.advanceBy(60_000);
    expect(faulty.calls.filter((call) => call === 'queryRuns')).toHaveLength(looks);
    await app.close();
  });

  test('lives through a storage that is away for a moment, not for long', async () => {
    const { app, clock, runId, faulty } = await boot();
    const away = (): never => {
      throw new StorageError('away');
    };
    const { storage } = faulty;
    const waiting = app.scheduler.waitForRun(runId);
    await app.settle();
    const queryRuns = storage.queryRuns.bind(storage);
    Object.assign(storage, { queryRuns: away });
    await clock.advanceBy(1_000);
    Object.assign(storage, { queryRuns });
    await app.scheduler.cancelRun(runId);
    await clock.advanceBy(2_000);
    expect(await waiting).toMatchObject({ verdict: 'cancelled' });

    await app.scheduler.schedule('work', { id: 'next', in: '1h' });
    const [run] = (await app.scheduler.getRuns()).items;
    const lost = expect(app.scheduler.waitForRun(run!.id)).rejects.toThrow('away');
    await app.settle();
    Object.assign(storage, { queryRuns: away });
    await clock.advanceBy(10_000);
    await lost;
    Object.assign(storage, { queryRuns });
    await app.close();
  });
});

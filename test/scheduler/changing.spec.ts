import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JobNotFoundError, RunAbortedError, StaleJobError, type RunContext } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

describe('changing jobs at run time', () => {
  let app: NestApp;
  let ran: string[];
  /** Ends the handler that waits. */
  let finish: () => void;
  let aborted: unknown;

  beforeEach(async () => {
    app = await NestApp.boot();
    ran = [];
    aborted = null;
    app.scheduler.registerHandler('work', ({ job, payload }: RunContext) => {
      ran.push(payload === null ? job.id : `${job.id} ${JSON.stringify(payload)}`);
    });
    app.scheduler.registerHandler('wait', async ({ signal }) => {
      await new Promise<void>((resolve, reject) => {
        finish = resolve;
        signal.addEventListener('abort', () => reject((aborted = signal.reason)));
      });
      ran.push('waited');
    });
    app.scheduler.registerHandler('fail', ({ attempt }) => {
      ran.push(`attempt ${attempt}`);
      throw new Error('not today');
    });
  });
  afterEach(() => app.close());

  const minutely = (id: string, given = {}) =>
    app.scheduler.createIntervalJob({ id, handler: 'work', minutes: 1, ...given });
  const gaps = async () => (await app.scheduler.getGaps()).items;

  test.each<[string, (id: string) => Promise<unknown>]>([
    ['updateJob', (id) => app.scheduler.updateJob(id, { payload: 1 })],
    ['pauseJob', (id) => app.scheduler.pauseJob(id)],
    ['runNow', (id) => app.scheduler.runNow(id)],
    ['deleteJob', (id) => app.scheduler.deleteJob(id)],
    ['previewJob', (id) => app.scheduler.previewJob(id)],
    ['backfill', (id) => app.scheduler.backfill(id, '2026-01-01', '2026-01-02')],
  ])('%s of a job that is not there names the one that was probably meant', async (_, call) => {
    await minutely('daily-report');
    await minutely('daily-rapport', { namespace: 'other' });
    const refused = call('dayly-report');
    await expect(refused).rejects.toThrow(JobNotFoundError);
    await expect(refused).rejects.toThrow(
      'There is no job "dayly-report" in the namespace "default". Did you mean "daily-report"?',
    );
    await expect(call('weekly')).rejects.toThrow('Declared jobs are stored when the application has started');
  });

  test('a handler that is not there is named with the one that was probably meant', async () => {
    app.scheduler.registerHandler('ReportService.daily', () => undefined);
    const created = (handler: string) => app.scheduler.schedule(handler, { in: 0 });
    await expect(created('wrk')).rejects.toThrow('Did you mean "work"? Else declare it with');
    await expect(created('daily')).rejects.toThrow('Did you mean "ReportService.daily"?');
    await expect(created('ReportService.dayly')).rejects.toThrow('Did you mean "ReportService.daily"?');
    await expect(created('something else')).rejects.not.toThrow('Did you mean');
  });

  test('runNow says that a one-off runs already, and does nothing', async () => {
    await app.scheduler.createDateJob({ id: 'a', handler: 'wait', in: '1h' });
    const first = await app.scheduler.runNow('a');
    expect(first).toMatchObject({ alreadyRunning: false, state: 'waiting' });
    await app.settle();
    const again = await app.scheduler.runNow('a');
    expect(again).toMatchObject({ id: first.id, alreadyRunning: true, state: 'running' });
    finish();
    await app.settle();
    expect(ran).toEqual(['waited']);
    await minutely('b', { handler: 'wait' });
    await app.clock.advanceBy(60_000);
    expect((await app.scheduler.getJob('b'))!.state).toBe('running');
    expect((await app.scheduler.runNow('b')).alreadyRunning).toBe(false);
  });

  describe('updateJob', () => {
    test('changes what is given and leaves the rest', async () => {
      await minutely('a', { name: 'A', maxRetries: 2, backoff: '1s', payload: 1, metadata: { x: 1 } });
      const changed = await app.scheduler.updateJob('a', {
        payload: 'new',
        timeout: '30s',
        priority: 'low',
        queue: 'slow',
        name: null,
      });
      expect(changed).toMatchObject({
        name: null,
        payload: 'new',
        metadata: { x: 1 },
        priority: 9,
        queue: 'slow',
        policies: { maxRetries: 2, timeoutMs: 30_000, backoff: { type: 'fixed', delayMs: 1_000 } },
        nextRunAt: new Date('2026-01-01T00:01:00Z'),
      });
      expect(changed.revision).toBeGreaterThan(1);
    });

    test('computes the next time of a changed schedule from now; an interval keeps its anchor', async () => {
      await minutely('a');
      await app.clock.advanceBy(30_000);
      const every = (text: string) =>
        app.scheduler.updateJob('a', { trigger: { type: 'interval', every: text } });
      expect((await every('25s')).nextRunAt).toEqual(new Date('2026-01-01T00:00:50Z'));
      const cron = { type: 'cron', expression: '0 9 * * *' } as const;
      const changed = await app.scheduler.updateJob('a', { trigger: cron, timeZone: 'Asia/Seoul' });
      expect(changed).toMatchObject({ timeZone: 'Asia/Seoul', nextRunAt: new Date('2026-01-02T00:00:00Z') });
      const moved = await app.scheduler.updateJob('a', { timeZone: 'UTC' });
      expect(moved).toMatchObject({ timeZone: 'UTC', nextRunAt: new Date('2026-01-01T09:00:00Z') });
      await app.clock.advanceTo('2026-01-01T09:00:00Z');
      expect(ran).toEqual(['a']);
    });

    test('takes a schedule in the words in which it was created', async () => {
      const { scheduler } = app;
      await minutely('a');
      const changed = await scheduler.updateJob('a', {
        cron: '0 9 * * *',
        timeZone: 'Asia/Seoul',
        jitter: '1s',
      });
      const { trigger } = await scheduler.updateJob('a', {
        cron: { hour: 9, minute: 0 },
        timeZone: 'Asia/Seoul',
      });
      expect(changed.trigger).toEqual({
        type: 'cron',
        expression: '0 9 * * *',
        timeZone: 'Asia/Seoul',
        jitter: 1_000,
      });
      expect(trigger).toEqual({ type: 'cron', fields: { hour: 9, minute: 0 }, timeZone: 'Asia/Seoul' });
      const interval = await scheduler.updateJob('a', { every: '2 minutes' });
      expect(interval.trigger).toMatchObject({ type: 'interval', every: 120_000 });
      await scheduler.createDateJob({ id: 'b', handler: 'work', in: '1h' });
      const at = new Date('2026-01-02T00:00:00Z');
      expect((await scheduler.updateJob('b', { at })).nextRunAt).toEqual(at);
      const soon = await scheduler.updateJob('b', { in: { minutes: 5 }, keep: '1d' });
      expect(soon).toMatchObject({
        nextRunAt: new Date('2026-01-01T00:05:00Z'),
        policies: { keepMs: 86_400_000 },
      });
      await expect(scheduler.updateJob('a', { in: '5m' })).rejects.toThrow('the job "a" recurs and stays so');
      await expect(scheduler.updateJob('b', { overlap: 'queue' })).rejects.toThrow(
        'overlap: is for what recurs',
      );
    });

    test('moves a one-off that waits', async () => {
      await app.scheduler.createDateJob({ id: 'a', handler: 'work', in: '1h' });
      await app.scheduler.updateJob('a', { trigger: { type: 'at', at: app.clock.now() + 1_000 } });
      await app.clock.advanceBy(1_000);
      expect(ran).toEqual(['a']);
    });

    test('does not make a one-off of what recurs', async () => {
      await minutely('a');
      await expect(
        app.scheduler.updateJob('a', { trigger: { type: 'at', at: '2030-01-01 00:00' } }),
      ).rejects.toThrow('trigger: the job "a" recurs and stays so. Delete it and create another one.');
    });

    test('refuses a change to what has changed since, when asked to', async () => {
      const { revision } = await minutely('a');
      await app.scheduler.updateJob('a', { payload: 1 }, { expectedRevision: revision });
      const stale = app.scheduler.updateJob('a', { payload: 2 }, { expectedRevision: revision });
      await expect(stale).rejects.toThrow(StaleJobError);
      await expect(stale).rejects.toThrow(
        'The job "a" in the namespace "default" was changed by somebody else. Read it again and repeat the change.',
      );
      expect((await app.scheduler.getJob('a'))!.payload).toBe(1);
    });

    test('loses no change when several come at once', async () => {
      await minutely('a');
      const changes = [{ maxRetries: 1 }, { timeout: '1m' }, { maxLost: 7 }, { overlap: 'allow' as const }];
      await Promise.all(changes.map((change) => app.scheduler.updateJob('a', change)));
      expect((await app.scheduler.getJob('a'))!.policies).toEqual({
        maxRetries: 1,
        timeoutMs: 60_000,
        maxLost: 7,
        overlap: 'allow',
      });
    });

    test('does not touch a run that goes on, and reaches the retry of one that failed', async () => {
      await app.scheduler.createDateJob({
        id: 'a',
        handler: 'fail',
        in: 1,
        maxRetries: 1,
        backoff: '10s',
      });
      await app.clock.advanceBy(1);
      expect(ran).toEqual(['attempt 1']);
      await app.scheduler.updateJob('a', { handler: 'work', payload: 'mended' });
      await app.clock.advanceBy(10_000);
      expect(ran).toEqual(['attempt 1', 'a "mended"']);
    });
  });

  describe('pauseJob and resumeJob', () => {
    test('stop and go on from now, and what fell into the pause is on record', async () => {
      await minutely('a');
      await app.clock.advanceBy(60_000);
      const paused = await app.scheduler.pauseJob('a', { reason: 'audit', by: 'ada' });
      expect(paused).toMatchObject({ state: 'paused', nextRunAt: null });
      expect(paused.paused).toMatchObject({ reason: 'audit', by: 'ada' });
      await app.clock.advanceBy(5 * 60_000 + 30_000);
      expect(ran).toEqual(['a']);
      const resumed = await app.scheduler.resumeJob('a');
      expect(resumed).toMatchObject({ paused: null, nextRunAt: new Date('2026-01-01T00:07:00Z') });
      expect(await gaps()).toMatchObject([
        {
          jobId: 'a',
          verdict: 'paused',
          count: 5,
          from: new Date('2026-01-01T00:02:00Z'),
          until: new Date('2026-01-01T00:06:00Z'),
        },
      ]);
      await app.clock.advanceBy(30_000);
      expect(ran).toEqual(['a', 'a']);
    });

    test('leave no gap when nothing fell due', async () => {
      await minutely('a');
      await app.scheduler.pauseJob('a');
      await app.clock.advanceBy(30_000);
      expect((await app.scheduler.resumeJob('a')).nextRunAt).toEqual(new Date('2026-01-01T00:01:00Z'));
      expect(await gaps()).toEqual([]);
    });

    test('run a one-off late rather than never', async () => {
      await app.scheduler.createDateJob({ id: 'a', handler: 'work', in: '10s' });
      await app.scheduler.pauseJob('a');
      await app.clock.advanceBy(60_000);
      expect(ran).toEqual([]);
      await app.scheduler.resumeJob('a');
      await app.settle();
      expect(ran).toEqual(['a']);
    });

    test('count a fixed delay from the resume', async () => {
      await minutely('a', { mode: 'fixed-delay' });
      await app.scheduler.pauseJob('a');
      await app.clock.advanceBy(90_000);
      expect((await app.scheduler.resumeJob('a')).nextRunAt).toEqual(new Date('2026-01-01T00:02:30Z'));
      expect(await gaps()).toMatchObject([{ verdict: 'paused', count: 1 }]);
    });
  });

  test('deleteJob removes a job; its run may finish, and its id is free', async () => {
    await minutely('a', { handler: 'wait' });
    await app.clock.advanceBy(60_000);
    await app.scheduler.deleteJob('a');
    expect(await app.scheduler.getJob('a')).toBeNull();
    await minutely('a');
    finish();
    await app.settle();
    expect(ran).toEqual(['waited']);
  });

  test('cancelJob aborts the run that goes on; a recurring job goes on with its next instant', async () => {
    await minutely('a', { handler: 'wait' });
    await app.clock.advanceBy(60_000);
    expect(await app.scheduler.cancelJob('a')).toBe(1);
    await app.clock.advanceBy(1_000);
    expect(aborted).toBeInstanceOf(RunAbortedError);
    expect((await app.scheduler.getAttempts({ jobId: 'a' })).items).toMatchObject([{ outcome: 'cancelled' }]);
    await app.clock.advanceBy(59_000);
    expect(await app.scheduler.getJob('a')).toMatchObject({ state: 'running' });
    finish();
  });

  test('cancelRun aborts one run of several and ends one that waits', async () => {
    await app.scheduler.createIntervalJob({ id: 'a', handler: 'wait', every: '1h' });
    const first = await app.scheduler.runNow('a');
    await app.settle();
    expect(await app.scheduler.cancelRun(first.id)).toBe('requested');
    await app.settle();
    expect(aborted).toBeInstanceOf(RunAbortedError);
    expect((await app.scheduler.getAttempts({ runId: first.id })).items).toMatchObject([
      { outcome: 'cancelled' },
    ]);
    await app.scheduler.createDateJob({ id: 'b', handler: 'wait', in: '1h' });
    const [second] = (await app.scheduler.getRuns({ jobId: 'b' })).items;
    expect(await app.scheduler.cancelRun(second!.id)).toBe('cancelled');
    const verdict = { code: 'CHRONIS_RUN_HAS_VERDICT', verdict: 'cancelled' };
    await expect(app.scheduler.cancelRun(second!.id)).rejects.toMatchObject(verdict);
    await expect(app.scheduler.cancelRun('4711')).rejects.toThrow('There is no run "4711".');
    await expect(app.scheduler.cancelRun('')).rejects.toThrow("runId: must be a non-empty text, but is ''.");
  });

  test('cancelJob ends a one-off that waits', async () => {
    await app.scheduler.createDateJob({ id: 'a', handler: 'work', in: '1h', keep: '1d' });
    expect(await app.scheduler.cancelJob('a')).toBe(1);
    expect(await app.scheduler.getJob('a')).toMatchObject({ state: 'cancelled' });
    await app.clock.advanceBy(3_600_000);
    expect(ran).toEqual([]);
  });

  test('runNow runs at once, also beside a run that goes on and while paused', async () => {
    await minutely('a', { handler: 'wait' });
    await app.clock.advanceBy(60_000);
    await app.scheduler.pauseJob('a');
    const run = await app.scheduler.runNow('a');
    expect(run).toMatchObject({ jobId: 'a', origin: 'manual' });
    await app.settle();
    expect((await app.scheduler.getRuns({ jobId: 'a', state: 'running' })).items).toHaveLength(2);
    await app.scheduler.cancelJob('a');
  });

  test('every call names a job that is not there', async () => {
    const { scheduler } = app;
    const calls = [
      scheduler.updateJob('none', { payload: 1 }),
      scheduler.pauseJob('none'),
      scheduler.resumeJob('none', { namespace: 'other' }),
      scheduler.deleteJob('none'),
      scheduler.cancelJob('none'),
      scheduler.runNow('none'),
    ];
    for (const call of calls) await expect(call).rejects.toThrow(JobNotFoundError);
    await expect(calls[3]).rejects.toThrow(
      'There is no job "none" in the namespace "default". It may have been deleted, or be finished: a one-off is only kept as a job for as long as `keep` says. Declared jobs are stored when the application has started, after onModuleInit().',
    );
    await expect(calls[2]).rejects.toThrow('There is no job "none" in the namespace "other".');
    expect(await scheduler.getJob('none')).toBeNull();
  });
});

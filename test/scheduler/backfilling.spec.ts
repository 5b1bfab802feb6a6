import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  InvalidOptionError,
  InvalidScheduleError,
  JobNotFoundError,
  type RunContext,
} from '../../lib/index.js';
import { Gate, RealApp, storageKinds } from '../support/real.app.js';

const times = (dates: Date[]): string[] => dates.map((date) => date.toISOString().slice(0, 16));
const [from, until] = ['2026-01-05T00:00:00Z', '2026-01-12T00:00:00Z'];

describe.each(storageKinds)('backfill on %s', (kind) => {
  let app: RealApp;
  let gate: Gate;
  let ran: Date[];
  let atATime: number;

  beforeEach(async () => {
    app = await RealApp.boot(kind, { concurrency: 4 });
    gate = new Gate();
    [ran, atATime] = [[], 0];
    let running = 0;
    app.scheduler.registerHandler('work', async ({ nominalAt }: RunContext) => {
      atATime = Math.max(atATime, ++running);
      // A few turns of the event loop, so that others can begin meanwhile.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      running--;
      ran.push(nominalAt);
    });
    app.scheduler.registerHandler('wait', () => gate.passed);
    app.scheduler.registerHandler('fail', () => Promise.reject(new Error('not today')));
  });
  afterEach(async () => {
    gate.release();
    await app.close();
  });

  const weekdays = ({ handler = 'work', ...given }: { handler?: string; [option: string]: unknown } = {}) =>
    app.scheduler.schedule(handler, {
      id: 'job',
      cron: '0 9 * * *',
      jitter: '1h',
      exclude: [{ weekdays: ['sat', 'sun'] }],
      ...given,
    });
  const all = (runIds: string[]) => Promise.all(runIds.map((runId) => app.scheduler.waitForRun(runId)));

  test('runs every instant of the range once, in order, without jitter and exclusions', async () => {
    await weekdays();
    const result = await app.scheduler.backfill('job', from, until);
    expect(result).toMatchObject({
      instants: 5,
      created: 5,
      first: new Date('2026-01-05T09:00:00Z'),
      last: new Date('2026-01-09T09:00:00Z'),
      leftOut: { active: 0, succeeded: 0, scheduled: 0 },
    });
    const outcomes = await all(result.runIds);
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(Array(5).fill('succeeded'));
    expect(times(ran)).toEqual([5, 6, 7, 8, 9].map((day) => `2026-01-0${day}T09:00`));
    expect(atATime).toBe(1);
    expect((await app.scheduler.backfill('job', from, until)).leftOut.succeeded).toBe(5);
    const again = await app.scheduler.backfill('job', from, until, { includeSucceeded: true });
    expect(again.created).toBe(5);
    await all(again.runIds);
    expect(ran).toHaveLength(10);
  });

  test('runs at once what may overlap, as far as workers are free', async () => {
    await weekdays({ cron: '0 * * * *', exclude: [] });
    const { runIds } = await app.scheduler.backfill('job', from, '2026-01-06T00:00:00Z', {
      overlap: 'allow',
    });
    expect(runIds).toHaveLength(25);
    await all(runIds);
    expect(atATime).toBeGreaterThan(1);
    expect(atATime).toBeLessThanOrEqual(4);
    expect(new Set(times(ran)).size).toBe(25);
  });

  test('takes both ends of the range, and reads times in the zone of the job', async () => {
    await weekdays({ timeZone: 'Asia/Seoul' });
    const options = { dryRun: true };
    const day = await app.scheduler.backfill('job', '2026-01-05 09:00', '2026-01-06 09:00', options);
    expect(day).toMatchObject({
      created: 2,
      runIds: [],
      first: new Date('2026-01-05T00:00:00Z'),
      last: new Date('2026-01-06T00:00:00Z'),
    });
    expect((await app.scheduler.getRuns()).items).toEqual([]);
    const none = await app.scheduler.backfill('job', '2026-01-05 09:01', '2026-01-05 10:00', options);
    expect(none).toMatchObject({ instants: 0, created: 0, first: null, last: null });
  });

  test('leaves the future to the schedule', async () => {
    await weekdays({ cron: '0 * * * *', exclude: [] });
    const hourAgo = new Date(Date.now() - 3_600_000);
    const result = await app.scheduler.backfill('job', hourAgo, new Date(Date.now() + 86_400_000));
    expect(result.instants).toBe(1);
  });

  test('refuses more instants than the limit, and names it', async () => {
    await weekdays({ cron: '* * * * *' });
    const refused = app.scheduler.backfill('job', from, until);
    await expect(refused).rejects.toThrow(InvalidOptionError);
    await expect(refused).rejects.toThrow(
      /^limit: the job "job" has more than 1000 instants from 2026-01-05/,
    );
    const small = { limit: 60, dryRun: true };
    const hour = await app.scheduler.backfill('job', from, '2026-01-05T00:59:00Z', small);
    expect(hour.created).toBe(60);
    await expect(app.scheduler.backfill('job', from, '2026-01-05T01:00:00Z', small)).rejects.toThrow(/limit/);
    const many = await app.scheduler.backfill('job', from, '2026-01-06T18:00:00Z', { limit: 10_000 });
    expect(many.created).toBe(42 * 60 + 1);
    expect(await app.scheduler.cancelJob('job')).toBeGreaterThan(0);
  });

  test('works while the job runs, and while it waits for a retry', async () => {
    await weekdays({ id: 'running', handler: 'wait' });
    await app.scheduler.updateJob('running', { handler: 'wait' });
    const started = app.next('run.started', 'running');
    await app.scheduler.runNow('running');
    await started;
    await app.scheduler.updateJob('running', { handler: 'work' });
    await all((await app.scheduler.backfill('running', from, until)).runIds);
    expect(ran).toHaveLength(5);

    const retrying = app.next('run.retrying', 'retrying');
    await app.scheduler.schedule('fail', { id: 'retrying', cron: '0 9 * * *', maxRetries: 1, backoff: '1h' });
    await app.scheduler.runNow('retrying');
    await retrying;
    await app.scheduler.updateJob('retrying', { handler: 'work' });
    await all((await app.scheduler.backfill('retrying', from, until)).runIds);
    expect(ran).toHaveLength(12);
  });

  test('works while the job is paused, and is held by a later pause', async () => {
    await weekdays();
    await app.scheduler.pauseJob('job');
    await all((await app.scheduler.backfill('job', from, '2026-01-06T12:00:00Z')).runIds);
    expect(ran).toHaveLength(2);
    expect(await app.scheduler.getJob('job')).toMatchObject({ state: 'paused', runCount: 2 });
    await app.scheduler.resumeJob('job');

    await app.scheduler.updateJob('job', { handler: 'wait' });
    const started = app.next('run.started', 'job');
    const { runIds } = await app.scheduler.backfill('job', from, until);
    await started;
    await app.scheduler.pauseJob('job');
    gate.release();
    await app.scheduler.waitForRun(runIds[0]!);
    const held = (await app.scheduler.getRuns({ jobId: 'job' })).items;
    expect(held.map(({ state }) => state)).toEqual(['paused', 'paused']);
    await app.scheduler.resumeJob('job');
    await all(runIds);
  });

  test('finds jobs in other namespaces, and does not create runs twice', async () => {
    await weekdays({ namespace: 'acme', handler: 'work' });
    const options = { namespace: 'acme', overlap: 'allow' as const };
    const results = await Promise.all(
      Array.from({ length: 4 }, () => app.scheduler.backfill('job', from, until, options)),
    );
    const runIds = results.flatMap((result) => result.runIds);
    expect(runIds).toHaveLength(5);
    await all(runIds);
    expect(ran).toHaveLength(5);
  });

  test.each([
    ['a job that is not there', 'none', from, until, {}, JobNotFoundError, /none/],
    ['a range from behind', 'job', until, from, {}, InvalidOptionError, /until/],
    ['a time that is none', 'job', 'yesterday-ish', until, {}, InvalidScheduleError, /from/],
    ['another overlap', 'job', from, until, { overlap: 'skip' }, InvalidOptionError, /'queue' or 'allow'/],
    ['an unknown option', 'job', from, until, { dryrun: true }, InvalidOptionError, /Did you mean "dryRun"/],
    ['a limit that is too high', 'job', from, until, { limit: 10_001 }, InvalidOptionError, /1 to 10000/],
    ['a one-off', 'once', from, until, {}, InvalidOptionError, /type 'at', which has no past instants/],
    ['a manual job', 'manual', from, until, {}, InvalidOptionError, /type 'manual'/],
    ['a fixed delay', 'delay', from, until, {}, InvalidOptionError, /mode 'fixed-delay'/],
  ])('refuses %s', async (_, id, start, end, options, error, message) => {
    await weekdays();
    await app.scheduler.schedule('work', { id: 'once', in: '1h' });
    await app.scheduler.createJob({ id: 'manual', handler: 'work', trigger: { type: 'manual' } });
    await app.scheduler.schedule('work', { id: 'delay', every: '1h', mode: 'fixed-delay' });
    const refused = app.scheduler.backfill(id, start, end, options as never);
    await expect(refused).rejects.toThrow(error);
    await expect(refused).rejects.toThrow(message);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  InvalidOptionError,
  InvalidScheduleError,
  RunNotFailedError,
  RunNotFoundError,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

const failed = { state: ['failed' as const, 'timed_out' as const, 'lost' as const] };

describe('runs that gave up', () => {
  let app: NestApp;
  let broken: boolean;
  let ran: string[];

  beforeEach(async () => {
    app = await NestApp.boot();
    broken = true;
    ran = [];
    const handler = ({ job }: { job: { id: string } }): void => {
      if (broken) throw new Error('The service is down.');
      ran.push(job.id);
    };
    app.scheduler.registerHandler('call', handler);
    app.scheduler.registerHandler('other', handler);
  });
  afterEach(() => app.close());

  const oneOff = (id: string, handler = 'call') =>
    app.scheduler.createDateJob({ id, handler, runAt: new Date(app.clock.now()) });
  const dead = async () => (await app.scheduler.getRuns(failed)).items;

  test('are listed with their error, of one-offs and of recurring jobs', async () => {
    await oneOff('one-off');
    await app.scheduler.createIntervalJob({ id: 'recurring', handler: 'call', minutes: 1 });
    await app.clock.advanceBy(120_000);
    await app.settle();
    expect((await dead()).map((run) => [run.jobId, run.state, run.lastError])).toEqual([
      ['recurring', 'failed', expect.stringContaining('The service is down.')],
      ['recurring', 'failed', expect.stringContaining('The service is down.')],
      ['one-off', 'failed', expect.stringContaining('The service is down.')],
    ]);
  });

  test('are retried one by one, at once, as a new run', async () => {
    await oneOff('job');
    await app.settle();
    const [run] = await dead();
    broken = false;
    const again = await app.scheduler.retryRun(run.id);
    expect(again).toMatchObject({ retryOf: run.id, origin: 'retry', nominalAt: run.nominalAt, attempt: 0 });
    await app.settle();
    expect(ran).toEqual(['job']);
    expect(await dead()).toEqual([]);
  });

  test('are retried in bulk by filter, and not twice when they fail again meanwhile', async () => {
    await oneOff('a');
    await oneOff('b', 'other');
    await oneOff('c');
    await app.settle();
    expect(await app.scheduler.retryFailed({ handler: 'call' }, { dryRun: true })).toEqual({
      found: 2,
      changed: 0,
    });
    expect(await app.scheduler.retryFailed({ handler: 'call' })).toEqual({ found: 2, changed: 2 });
    await app.settle();
    expect((await dead()).map((run) => run.jobId).toSorted()).toEqual(['a', 'b', 'c']);
    broken = false;
    expect(await app.scheduler.retryFailed()).toEqual({ found: 3, changed: 3 });
    await app.settle();
    expect(ran.toSorted()).toEqual(['a', 'b', 'c']);
    expect(await dead()).toEqual([]);
  });

  test('are retried in bulk page by page', async () => {
    await Promise.all(Array.from({ length: 1_100 }, (_, index) => oneOff(`job ${index}`)));
    while ((await app.scheduler.countJobs({ state: 'failed' })) < 1_100) await app.settle();
    broken = false;
    expect(await app.scheduler.retryFailed()).toEqual({ found: 1_100, changed: 1_100 });
  });

  test('are spread over a time, evenly, and what falls due meanwhile has its turn between them', async () => {
    await Promise.all(Array.from({ length: 700 }, (_, index) => oneOff(`job ${index}`)));
    while ((await app.scheduler.countJobs({ state: 'failed' })) < 700) await app.settle();
    broken = false;
    const since = app.clock.now();
    expect(await app.scheduler.retryFailed({}, { spread: '5m' })).toEqual({ found: 700, changed: 700 });
    const retries = (await app.scheduler.getRuns({ state: ['waiting'], limit: 1_000 })).items;
    const minutes = retries.map(({ dueAt }) => Math.floor((dueAt!.getTime() - since) / 60_000));
    for (const minute of [0, 1, 2, 3, 4]) {
      const inMinute = minutes.filter((each) => each === minute).length;
      expect(inMinute).toBeGreaterThanOrEqual(136);
      expect(inMinute).toBeLessThanOrEqual(144);
    }
    await oneOff('meanwhile');
    await app.settle();
    expect(ran).toContain('meanwhile');
    expect(ran.length).toBeLessThan(10);
  });

  test('are not spread over what is no time', async () => {
    await expect(app.scheduler.retryFailed({}, { spread: 'soon' })).rejects.toThrow(InvalidScheduleError);
    await expect(app.scheduler.discardFailed({}, { spread: '5m' } as never)).rejects.toThrow(
      InvalidOptionError,
    );
  });

  test('are discarded, one by one and in bulk; the ledger keeps them', async () => {
    for (const id of ['a', 'b', 'c']) await oneOff(id);
    await app.settle();
    const [run] = await dead();
    await app.scheduler.discardRun(run.id);
    expect(await app.scheduler.getJob(run.jobId)).toBeNull();
    const finishedBefore = new Date(app.clock.now());
    expect(await app.scheduler.discardFailed({ finishedBefore })).toEqual({ found: 0, changed: 0 });
    expect(await app.scheduler.discardFailed({ state: 'failed' })).toEqual({ found: 2, changed: 2 });
    expect(await dead()).toEqual([]);
    expect((await app.scheduler.getAttempts({ outcome: 'failed' })).items).toHaveLength(3);
  });

  test('are refused by name where there is nothing to retry', async () => {
    await expect(app.scheduler.retryRun('none')).rejects.toThrow(RunNotFoundError);
    await expect(app.scheduler.discardRun('12345678')).rejects.toThrow(/There is no run "12345678"/);
    await app.scheduler.createDateJob({ id: 'later', handler: 'call', in: '1h' });
    const [run] = (await app.scheduler.getRuns({ jobId: 'later' })).items;
    await expect(app.scheduler.retryRun(run.id)).rejects.toThrow(RunNotFailedError);
    await expect(app.scheduler.discardRun(run.id)).rejects.toThrow(/is waiting: only runs that failed/);
    expect((await app.scheduler.getRuns({ runId: run.id })).items).toMatchObject([run]);
  });

  test.each([
    [{ state: 'succeeded' }, /state/],
    [{ states: 'failed' }, /Did you mean "state"/],
    [{ finishedBefore: 'yesterday' }, /finishedBefore: "yesterday" is not a date and time/],
    [{ finishedAfter: new Date(NaN) }, /finishedAfter: Invalid Date is not an instant/],
    [{ handler: [''] }, /handler/],
  ])('a wrong filter is refused before anything is done: %o', async (filter, message) => {
    await oneOff('job');
    await app.settle();
    const wrong = filter as object;
    await expect(app.scheduler.retryFailed(wrong)).rejects.toThrow(message);
    await expect(app.scheduler.discardFailed(wrong)).rejects.toThrow(message);
    await expect(app.scheduler.retryFailed({}, { dryrun: true } as object)).rejects.toThrow(/dryRun/);
    expect(await dead()).toHaveLength(1);
  });
});

import { Injectable } from '@nestjs/common';
import { afterEach, describe, expect, test } from 'vitest';
import {
  Cron,
  HandlerNotFoundError,
  InvalidOptionError,
  JobHandler,
  MemoryStorage,
  type CallbackPayload,
  type JobOptions,
  type RunContext,
} from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { EngineRig } from '../support/engine.js';
import { NestApp } from '../support/nest.app.js';

const minute = 60_000;

describe('callbacks of jobs', () => {
  let app: NestApp;
  let called: RunContext<CallbackPayload>[];

  async function boot(given: Parameters<typeof NestApp.boot>[0] = {}): Promise<void> {
    app = await NestApp.boot(given);
    called = [];
    app.scheduler.registerHandler('called', (context: RunContext<CallbackPayload>) => {
      called.push(context);
    });
    app.scheduler.registerHandler('succeed', () => ({ sent: 3 }));
    app.scheduler.registerHandler('fail', () => {
      throw new Error('not today');
    });
  }

  afterEach(() => app.close());

  const create = (
    handler: string,
    options: Omit<JobOptions, 'overlap' | 'pauseAfterFailures' | 'lateAfter'> = {},
  ) => app.scheduler.createDateJob({ id: 'job', handler, in: '1s', ...options });
  const verdicts = () =>
    called.map(({ payload }) => `${payload.jobId} ${payload.verdict} ${payload.attempt}`);

  test('run at once, and once, with what became of the run', async () => {
    await boot();
    await create('succeed', { onSuccess: 'called', onFailure: 'fail', payload: 'order 7', priority: 'high' });
    await app.clock.advanceBy(1_000);
    expect(called).toHaveLength(1);
    const [{ job, payload, origin }] = called;
    expect(origin).toBe('callback');
    expect(job).toMatchObject({ id: `job:onSuccess:${payload.runId}`, handler: 'called', priority: 2 });
    expect(payload).toMatchObject({
      jobId: 'job',
      namespace: 'default',
      handler: 'succeed',
      verdict: 'succeeded',
      result: { sent: 3 },
      error: null,
      payload: 'order 7',
    });
    await app.clock.advanceBy(minute);
    expect(called).toHaveLength(1);
    const { items } = await app.scheduler.getAttempts({ jobId: job.id });
    expect(items).toMatchObject([{ outcome: 'succeeded', handler: 'called' }]);
  });

  test('follow the last retry, not those before', async () => {
    await boot();
    await create('fail', { onFailure: 'called', maxRetries: 2, backoff: '10s' });
    await app.clock.advanceBy(12_000);
    expect(verdicts()).toEqual([]);
    await app.clock.advanceBy(minute);
    expect(verdicts()).toEqual(['job failed 3']);
    expect(called[0].payload.error).toContain('not today');
  });

  test('follow a timeout as a failure, and a cancelled run not at all', async () => {
    await boot();
    const aborted = ({ signal }: RunContext) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    app.scheduler.registerHandler('wait', aborted);
    await create('wait', { onFailure: 'called', onSuccess: 'called', timeout: '30s' });
    await app.clock.advanceBy(2_000);
    await app.scheduler.cancelJob('job');
    await app.clock.advanceBy(minute);
    expect(app.heard('run.cancelled')).toHaveLength(1);
    expect(verdicts()).toEqual([]);
    await create('wait', { onFailure: 'called', timeout: '30s' });
    await app.clock.advanceBy(minute);
    expect(verdicts()).toEqual(['job timed_out 1']);
  });

  test('of a recurring job follow each of its runs', async () => {
    await boot();
    await app.scheduler.createIntervalJob({
      id: 'tick',
      handler: 'succeed',
      every: '1m',
      onSuccess: 'called',
    });
    for (let i = 0; i < 3; i++) await app.clock.advanceBy(minute);
    expect(verdicts()).toEqual(['tick succeeded 1', 'tick succeeded 1', 'tick succeeded 1']);
    expect(new Set(called.map(({ payload }) => payload.runId)).size).toBe(3);
  });

  test('are declared by decorators as well', async () => {
    @Injectable()
    class Reports {
      @Cron('* * * * *', { id: 'report', onFailure: { handler: 'alarm', queue: 'default' } })
      report() {
        throw new Error('no data');
      }

      @JobHandler('alarm')
      alarm(context: RunContext<CallbackPayload>) {
        called.push(context);
      }
    }
    await boot({ providers: [Reports] });
    await app.clock.advanceBy(minute);
    expect(verdicts()).toEqual(['report failed 1']);
  });

  test('can be changed and taken away', async () => {
    await boot();
    await create('fail', { onSuccess: 'called' });
    const { policies } = await app.scheduler.updateJob('job', { onFailure: 'called', onSuccess: null });
    expect(policies).toEqual({ onFailure: { handler: 'called' }, onSuccess: null });
    await app.clock.advanceBy(minute);
    expect(verdicts()).toEqual(['job failed 1']);
  });

  test('that fail are dead letters as any other run, and have no callbacks', async () => {
    await boot();
    await create('fail', { onFailure: 'fail' });
    await app.clock.advanceBy(minute);
    const { items } = await app.scheduler.getRuns({ state: 'failed' });
    expect(items.map(({ origin }) => origin).toSorted()).toEqual(['at', 'callback']);
  });

  test.each([
    [{ onFailure: '' }, 'onFailure: must be a non-empty text'],
    [{ onFailure: () => {} }, 'onFailure: must be the name of a handler, but is a function'],
    [{ onSuccess: { handler: 'called', que: 'x' } }, 'que: onSuccess has no such option'],
    [{ onSuccess: { queue: 'x' } }, 'onSuccess.handler: must be a non-empty text'],
    [{ onSuccess: { handler: 'called', queue: '' } }, 'onSuccess.queue: must be a non-empty text'],
    [{ onSuccess: ['called'] }, 'onSuccess'],
  ])('refuses %j', async (options, message) => {
    await boot();
    const creating = create('succeed', options as object);
    await expect(creating).rejects.toThrow(InvalidOptionError);
    await expect(creating).rejects.toThrow(message);
    expect((await app.scheduler.queryJobs()).items).toEqual([]);
  });

  test('refuses handlers that nobody has, unless told that they may be unknown', async () => {
    await boot();
    await expect(create('succeed', { onSuccess: 'nobody' })).rejects.toThrow(HandlerNotFoundError);
    await create('succeed');
    await expect(app.scheduler.updateJob('job', { onFailure: 'nobody' })).rejects.toThrow('"nobody"');
    const changes = { onFailure: 'nobody', allowUnknownHandler: true };
    const { policies } = await app.scheduler.updateJob('job', changes);
    expect(policies).toEqual({ onFailure: { handler: 'nobody' } });
  });
});

describe('callbacks in an engine', () => {
  test('follow a run whose worker died', async () => {
    const rig = new EngineRig();
    const { id } = await lostRun(rig);
    const ran: unknown[] = [];
    rig.handle('called', ({ payload }: RunContext) => ran.push(payload));
    await rig.clock.advanceBy(2 * minute);
    await rig.engine.start();
    await rig.settle();
    expect(ran).toMatchObject([{ runId: id, verdict: 'lost' }]);
    await rig.stop(minute);
  });

  test('are seen to at once also without wake signals', async () => {
    const clock = new ManualClock();
    const storage = new Proxy(new MemoryStorage({ clock }), withoutSignal);
    const rig = new EngineRig({ clock, storage, options: { pollMs: minute } });
    const ran: string[] = [];
    rig.handle('work', () => ran.push('work')).handle('called', () => ran.push('called'));
    await rig.engine.start();
    await rig.add({ policies: { onSuccess: { handler: 'called' } } });
    await rig.settle();
    expect(ran).toEqual(['work', 'called']);
    await rig.stop(minute);
  });
});

const withoutSignal: ProxyHandler<MemoryStorage> = {
  get(target, key) {
    if (key === 'wakeSignal') return undefined;
    const value: unknown = Reflect.get(target, key, target);
    return typeof value === 'function' ? value.bind(target) : value;
  },
};

/** A run at most once, in the hands of a worker that is no more. */
async function lostRun(rig: EngineRig): Promise<{ id: string }> {
  const registration = { id: 'dead', name: 'dead', generation: null, retention: null, host: 'h', pid: 1 };
  const capability = { app: 'test', queues: ['default'], handlers: ['work'] };
  await rig.storage.register({ ...registration, ...capability, version: '0', zoneData: '2025b' }, 1_000);
  await rig.add({ policies: { recovery: 'abandon', onFailure: { handler: 'called' } } });
  const { runs } = await rig.storage.claim({ workerId: 'dead', ...capability }, 1);
  return runs[0];
}

import { Injectable } from '@nestjs/common';
import { afterEach, describe, expect, test } from 'vitest';
import {
  Cron,
  defineJob,
  HandlerNotFoundError,
  handlerOf,
  Interval,
  InvalidOptionError,
  JobHandler,
  type Job,
  type RunContext,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';
import { wrong } from '../support/refusal.js';

let app: NestApp | null = null;
afterEach(async () => {
  await app?.close();
  app = null;
});
const boot = async (...providers: (new () => unknown)[]): Promise<NestApp> =>
  (app = await NestApp.boot({ providers }));

describe('a defined job', () => {
  const Greet = defineJob<{ to: string }>('greet', { queue: 'default', maxRetries: 2, timeout: '10s' });

  test('declares its handler and creates jobs for it, with its options as defaults', async () => {
    const greeted: string[] = [];
    @Injectable()
    class Greeter {
      @Greet.Handle()
      greet({ payload }: RunContext<{ to: string }>): void {
        greeted.push(payload.to);
      }
    }
    const { scheduler } = await boot(Greeter);
    const job = await scheduler.createDateJob({
      handler: Greet,
      payload: { to: 'Ada' },
      in: '5m',
      maxRetries: 7,
      timeout: wrong(undefined),
    });
    expect(job).toMatchObject({
      handler: 'greet',
      payload: { to: 'Ada' },
      policies: { maxRetries: 7, timeoutMs: 10_000 },
    });
    await app!.clock.advanceBy(300_000);
    await app!.settle();
    expect(greeted).toEqual(['Ada']);
  });

  test('creates jobs of every kind', async () => {
    const { scheduler } = await boot();
    scheduler.registerHandler(Greet, () => undefined);
    const handler = Greet;
    const payload = { to: 'Ada' };
    const jobs = await Promise.all([
      scheduler.createDateJob({ handler, payload, in: '1h' }),
      scheduler.createIntervalJob({ handler, payload, every: '1h' }),
      scheduler.createCronJob({ handler, payload, hour: 9, minute: 0 }),
      scheduler.createJob({ handler, payload, trigger: { type: 'manual' } }),
      scheduler.schedule(handler, { payload, in: '1h' }),
      scheduler.upsert({ id: 'job', handler, payload, every: '1h' }).then(({ job }) => job),
    ]);
    const [item] = await scheduler.createMany([{ handler, payload, cron: '@daily' }]);
    jobs.push((item as { job: Job }).job);
    for (const job of jobs) {
      expect(job).toMatchObject({ handler: 'greet', payload, policies: { maxRetries: 2 } });
    }
  });

  test('is a handler that a job can be given later', async () => {
    const { scheduler } = await boot();
    scheduler.registerHandler('old', () => undefined);
    scheduler.registerHandler(Greet, () => undefined);
    await scheduler.createIntervalJob({ id: 'job', handler: 'old', every: '1h' });
    const changed = await scheduler.updateJob('job', { handler: Greet, payload: { to: 'Ada' } });
    expect(changed).toMatchObject({ handler: 'greet', payload: { to: 'Ada' }, policies: {} });
  });

  test('may be scheduled by a decorator as well', async () => {
    @Injectable()
    class Greeter {
      @Cron('0 9 * * *', { payload: { to: 'all' } })
      @Greet.Handle()
      greet({ payload }: RunContext<{ to: string }>): string {
        return payload.to;
      }
    }
    const { scheduler } = await boot(Greeter);
    expect(await scheduler.getJob('Greeter.greet')).toMatchObject({
      handler: 'greet',
      payload: { to: 'all' },
    });
  });

  test('gives way to another name of the misfire policy', async () => {
    const Late = defineJob('late', { misfire: 'all' });
    const { scheduler } = await boot();
    scheduler.registerHandler(Late, () => undefined);
    const job = await scheduler.createIntervalJob({ handler: Late, every: '1h', ifMissed: 'skip' });
    expect(job.policies.misfire).toBe('skip');
    const other = await scheduler.createIntervalJob({ handler: Late, every: '1h' });
    expect(other.policies.misfire).toBe('all');
  });

  test('without a live handler is refused by its name', async () => {
    const { scheduler } = await boot();
    const refused = scheduler.createDateJob({ handler: Greet, payload: { to: 'Ada' }, in: '1m' });
    await expect(refused).rejects.toThrow(HandlerNotFoundError);
    await expect(refused).rejects.toThrow('No handler "greet" is known');
  });

  test('is refused where it is defined when it cannot be right', () => {
    expect(() => defineJob('')).toThrow(InvalidOptionError);
    expect(() => defineJob('a', wrong({ payload: 1 }))).toThrow('payload: defineJob() has no such option.');
    expect(() => defineJob('a', wrong({ retries: 1 }))).toThrow('Did you mean "maxRetries"?');
    expect(() => defineJob('a', wrong({ maxRetry: 1 }))).toThrow('Did you mean "maxRetries"?');
    expect(() => defineJob('a', wrong({ colour: 1 }))).toThrow('There are: schema, name,');
  });

  test('names a wrong default when a job is created', async () => {
    const Wrong = defineJob('wrong', { maxRetries: -1 });
    const { scheduler } = await boot();
    scheduler.registerHandler(Wrong, () => undefined);
    await expect(scheduler.createIntervalJob({ handler: Wrong, every: '1h' })).rejects.toThrow(
      'maxRetries: must be a whole number',
    );
  });
});

describe('handlerOf', () => {
  @Injectable()
  class Base {
    @JobHandler('inherited')
    inherited(): void {}
  }
  @Injectable()
  class Reports extends Base {
    @JobHandler('generate-report')
    generate(context: RunContext<{ month: string }>): string {
      return context.payload.month;
    }

    @Interval('1h')
    hourly(): void {}

    @Interval('1h', { disabled: true })
    never(): void {}

    plain(): void {}
  }

  test('names the handler that a method is, as the running application does', async () => {
    const { scheduler } = await boot(Reports);
    const names = [
      handlerOf(Reports, 'generate').name,
      handlerOf(Reports, 'hourly').name,
      handlerOf(Reports, 'inherited').name,
    ];
    expect(names).toEqual(['generate-report', 'Reports.hourly', 'inherited']);
    for (const handler of names) {
      expect(await scheduler.createIntervalJob({ handler, every: '1h' })).toMatchObject({ handler });
    }
    const job = await scheduler.createDateJob({
      handler: handlerOf(Reports, 'generate'),
      payload: { month: '2027-01' },
      in: '1h',
    });
    expect(job).toMatchObject({ handler: 'generate-report', payload: { month: '2027-01' } });
  });

  test.each(['plain', 'never'] as const)('refuses a method that is no handler: %s', (method) => {
    expect(() => handlerOf(Reports, method)).toThrow(InvalidOptionError);
    expect(() => handlerOf(Reports, method)).toThrow(
      `Reports.${method} is not a handler. Decorate the method with @JobHandler('…').`,
    );
  });

  test('says what an undefined class comes from', () => {
    expect(() => handlerOf(wrong(undefined), wrong('generate'))).toThrow('two files import each other');
  });
});

import { Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, expect, test } from 'vitest';
import {
  ChronisModule,
  Cron,
  JobHandler,
  MemoryStorage,
  type ChronisEventMap,
  type ChronisOptions,
} from '../../lib/index.js';
import { ChronisTesting, ManualClock } from '../../lib/testing/index.js';

@Injectable()
class Reports {
  @Cron('0 9 * * *', { id: 'daily', timeZone: 'Asia/Seoul' })
  daily() {}
}

afterEach(() => Logger.overrideLogger(false));

/** What Chronis writes while an application boots and closes. */
async function written(log: ChronisOptions['log']): Promise<unknown[]> {
  const messages: unknown[] = [];
  const write = (message: unknown, ...rest: unknown[]): void => {
    // Classes of other files, which were loaded in the same process.
    const isOfOthers = /no module provides/.test(JSON.stringify(message));
    if (rest.at(-1) === 'Chronis' && !isOfOthers) messages.push(message);
  };

  @Module({ imports: [ChronisModule.forRoot({ log })], providers: [Reports] })
  class AppModule {}

  const logger = { log: write, warn: write, error: write };
  const app = await NestFactory.createApplicationContext(AppModule, { logger, abortOnError: false });
  await app.close();
  return messages;
}

test('the log of an application is sentences by default, records on demand, and nothing when off', async () => {
  const sentences = await written(undefined);
  expect(sentences[0]).toBe('Found 1 declared job and 1 handler.');
  expect(sentences[2]).toMatch(/Next: "daily" at \d{4}-\d\d-\d\d 09:00 in Asia\/Seoul\.$/);
  expect(sentences[1]).toBe('Synced 1 declared job with the storage: 1 created ("daily").');
  const records = await written({ format: 'json', silent: 'jobs.explored' });
  expect(records).toMatchObject([
    { event: 'jobs.synced', created: [{ namespace: 'default', id: 'daily' }], message: sentences[1] },
    { event: 'scheduler.started', timeZone: 'UTC', nextJob: { id: 'daily', timeZone: 'Asia/Seoul' } },
    { event: 'worker.stopped' },
  ]);
  expect(await written(false)).toEqual([]);
});

test('the log of an instance with a name has it as its context', async () => {
  const contexts = new Set<unknown>();
  const note = (...args: unknown[]): void => void contexts.add(args.at(-1));
  @Module({ imports: [ChronisModule.forRoot(), ChronisModule.forRoot({ instance: 'reports' })] })
  class AppModule {}
  const logger = { log: note, warn: note, error: note };
  const app = await NestFactory.createApplicationContext(AppModule, { logger, abortOnError: false });
  await app.close();
  expect([...contexts]).toEqual(expect.arrayContaining(['Chronis', 'Chronis reports']));
});

test('callbacks whose handler nobody has are told when the scheduler has started, those of others are not', async () => {
  @Injectable()
  class Jobs {
    @Cron('0 9 * * *', { id: 'a', onFailure: 'alrt', onSuccess: 'alert' })
    a() {}

    @Cron('0 9 * * *', { id: 'b', onFailure: { handler: 'alrt', queue: 'slow' }, onSuccess: 'of-another' })
    b() {}

    @JobHandler('alert')
    alert() {}
  }
  const clock = new ManualClock();
  const storage = new MemoryStorage({ clock });
  const boot = (providers: (new () => object)[], name: string, at: MemoryStorage) => {
    @Module({
      imports: [ChronisModule.forRoot({ storage: at, clock, name, on: { '*': listen } })],
      providers,
    })
    class AppModule {}
    return NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  };
  const told: unknown[] = [];
  const listen: NonNullable<ChronisOptions['on']>['*'] = (event, { name }) => {
    if (name === 'callbacks.unknown') told.push(event);
  };
  @Injectable()
  class Other {
    @JobHandler('of-another')
    run() {}
  }
  const other = await boot([Other], 'other', storage);
  const app = await boot([Jobs], 'app', storage.open());
  expect(told).toEqual([
    {
      handler: 'alrt',
      callbacks: [
        { namespace: 'default', id: 'a', option: 'onFailure', place: 'Jobs.a' },
        { namespace: 'default', id: 'b', option: 'onFailure', place: 'Jobs.b' },
      ],
      meant: 'alert',
    },
  ]);
  await app.close();
  await other.close();
});

test('what runs next is told of jobs that this process can run, and of one-offs by their time', async () => {
  const started: ChronisEventMap['scheduler.started'][] = [];
  const chronis = await ChronisTesting.create({
    providers: [Reports],
    chronis: { on: { 'scheduler.started': (event) => started.push(event) } },
  });
  await chronis.scheduler.stop();
  await chronis.scheduler.createDateJob({ handler: 'Reports.daily', in: '1h' });
  await chronis.scheduler.start();
  await chronis.scheduler.stop();
  await chronis.scheduler.deleteMany({ triggerType: 'at' });
  await chronis.scheduler.pauseJob('daily');
  await chronis.scheduler.createCronJob({
    id: 'elsewhere',
    handler: 'Reports.daily',
    queue: 'slow',
    expression: '* * * * *',
  });
  await chronis.scheduler.start();
  const wallTime = '2026-01-02 09:00:00';
  expect(started.map(({ nextAt, nextJob }) => ({ nextAt, nextJob }))).toEqual([
    {
      nextAt: new Date('2026-01-02T00:00:00Z'),
      nextJob: { namespace: 'default', id: 'daily', timeZone: 'Asia/Seoul', wallTime },
    },
    { nextAt: new Date('2026-01-01T01:00:00Z'), nextJob: null },
    { nextAt: null, nextJob: null },
  ]);
  await chronis.close();
});

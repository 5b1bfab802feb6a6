import { Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, expect, test } from 'vitest';
import { ChronisModule, Cron, type ChronisOptions } from '../../lib/index.js';

@Injectable()
class Reports {
  @Cron('0 9 * * *', { id: 'daily' })
  daily() {}
}

afterEach(() => Logger.overrideLogger(false));

/** What Chronis writes while an application boots and closes. */
async function written(log: ChronisOptions['log']): Promise<unknown[]> {
  const messages: unknown[] = [];
  const write = (message: unknown, ...rest: unknown[]): void => {
    if (rest.at(-1) === 'Chronis') messages.push(message);
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
  expect(sentences[1]).toBe('1 declared job in the storage: 1 created ("daily").');
  const records = await written({ format: 'json', silent: 'jobs.explored' });
  expect(records).toMatchObject([
    { event: 'jobs.synced', created: [{ namespace: 'default', id: 'daily' }], message: sentences[1] },
    { event: 'scheduler.started', timeZone: 'UTC' },
    { event: 'worker.stopped' },
  ]);
  expect(await written(false)).toEqual([]);
});

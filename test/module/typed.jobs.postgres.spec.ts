import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import {
  ChronisEvents,
  ChronisModule,
  defineJob,
  InvalidPayloadError,
  SchedulerService,
  type RunContext,
} from '../../lib/index.js';
import { typeOrmLock, typeOrmStorage } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const Remind = defineJob('remind', {
  schema: z.object({ to: z.string(), at: z.iso.datetime().transform((text) => new Date(text)) }),
  maxRetries: 3,
});

@Injectable()
class Reminders {
  @Remind.Handle()
  remind({ payload }: RunContext<{ to: string; at: Date }>): string {
    return `${payload.to} at ${payload.at.getTime()}`;
  }
}

let close: () => Promise<void> = async () => undefined;
afterEach(() => close());

test('typed jobs on PostgreSQL: what is stored is the input, and what does not fit any more fails without a retry', async () => {
  const recipe = { url: databaseUrl(), schema: freshSchema('typed') };
  const chronis = ChronisModule.forRoot({ storage: typeOrmStorage(recipe), lock: typeOrmLock() });
  @Module({ imports: [chronis], providers: [Reminders] })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  close = () => app.close();
  const scheduler = app.get(SchedulerService);
  const events = app.get(ChronisEvents);

  const payload = { to: 'Ada', at: '2027-01-01T00:00:00.000Z' };
  const done = events.once('run.succeeded');
  const job = await scheduler.createDateJob({ handler: Remind, payload, in: '1ms', keep: '1h' });
  expect(job.payload).toEqual(payload);
  const { runId } = await done;
  const [attempt] = (await scheduler.getAttempts({ runId })).items;
  expect(attempt!.result).toBe(`Ada at ${Date.parse(payload.at)}`);
  expect((await scheduler.getJob(job.id))!.payload).toEqual(payload);

  const refused = scheduler.createDateJob({ handler: 'remind', payload: { to: 1 }, in: '1h' });
  await expect(refused).rejects.toThrow(InvalidPayloadError);

  const later = { handler: 'later', payload: { to: 'Ada' }, maxRetries: 3, allowUnknownHandler: true };
  const { id } = await scheduler.createDateJob({ ...later, in: '1ms' });
  const failed = events.once('run.failed', ({ jobId }) => jobId === id);
  scheduler.registerHandler('later', () => undefined, { schema: z.object({ to: z.number() }) });
  await failed;
  const [run] = (await scheduler.getRuns({ jobId: id })).items;
  expect(run).toMatchObject({ state: 'failed', attempt: 1 });
  expect(run!.lastError).toContain('does not fit the schema of the handler "later": at payload.to: ');
});

import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisEvents,
  ChronisModule,
  handlerOf,
  InvalidPayloadError,
  SchedulerService,
} from 'nestjs-chronis';
import { z } from 'zod';
import { SendMail } from './mail.jobs.js';
import { MailService } from './mail.service.js';

@Module({ imports: [ChronisModule.forRoot()], providers: [MailService] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const scheduler = app.get(SchedulerService);
const events = app.get(ChronisEvents);
const resultOf = async (runId: string): Promise<unknown> =>
  (await scheduler.getAttempts({ runId })).items[0]?.result;

console.log('1. A job by its definition; the compiler knows the payload.');
const sent = events.once('run.succeeded', ({ handler }) => handler === SendMail.name);
const job = await scheduler.schedule(SendMail, {
  payload: { to: 'ada@example.com', sendAfter: '2027-01-01T00:00:00Z' },
  in: '100ms',
});
console.log('   stored:', JSON.stringify(job.payload));
console.log('   ran:   ', await resultOf((await sent).runId));

console.log('2. A job by the method that handles it.');
const counted = events.once('run.succeeded', ({ handler }) => handler === 'count-bounces');
const CountBounces = handlerOf(MailService, 'countBounces');
await scheduler.schedule(CountBounces, { payload: { domain: 'example.com' }, in: '100ms' });
console.log('   ran:   ', await resultOf((await counted).runId));

console.log('3. A payload that does not fit is refused before anything is stored.');
const untyped = { to: 'nobody', sendAfter: 'tomorrow' };
await scheduler.schedule(SendMail, { payload: untyped, in: '1h' }).catch((error: unknown) => {
  if (!(error instanceof InvalidPayloadError)) throw error;
  for (const { path, message } of error.issues) console.log(`   ${path.join('.')}: ${message}`);
});

console.log('4. A stored payload that the code of today does not take fails its run, without retries.');
const failed = events.once('run.failed', ({ handler }) => handler === 'from-last-year');
const old = { payload: { address: 'ada@example.com' }, maxRetries: 5 };
await scheduler.schedule('from-last-year', { ...old, in: '100ms', allowUnknownHandler: true });
scheduler.registerHandler('from-last-year', () => undefined, { schema: z.object({ to: z.email() }) });
console.log('  ', String((await failed).error));

await app.close();

// Jobs without code: programs of the machine, and an executor of one's own, by tasks that are data.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisModule,
  InvalidPayloadError,
  SchedulerService,
  UnknownTaskError,
  taskOf,
} from 'nestjs-chronis';
import { ChronisExecutorsModule } from 'nestjs-chronis/executors';
import { jobs } from './jobs.js';
import { SmsExecutor } from './sms.executor.js';

@Module({
  imports: [
    ChronisExecutorsModule.forRoot({
      command: { allow: ['/bin/*', '/usr/bin/*'], shell: true, grace: '200ms' },
    }),
    ChronisModule.forRoot({ log: false }),
  ],
  providers: [SmsExecutor],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const scheduler = app.get(SchedulerService);

for (const { task, ...options } of jobs) {
  const job = await scheduler.schedule({ task }, { ...options, in: 0, keep: '1m' });
  const [run] = (await scheduler.getRuns({ jobId: job.id })).items;
  const { verdict, result, error } = await scheduler.waitForRun(run!.id);
  console.log(`${job.id}: ${JSON.stringify(taskOf(job))}`);
  console.log(`  ${verdict} ${error === null ? JSON.stringify(result) : error.split('\n', 2).join(' / ')}`);
}

console.log('Refused, and why:');
for (const task of [
  { type: 'sms', to: 'nobody' },
  { type: 'smss', to: '+351 210 000 000' },
  { type: 'execute_command', command: '/bin/echo $HOME' },
  { type: 'execute_command', command: '/opt/other/tool' },
]) {
  try {
    await scheduler.schedule({ task }, { in: 0 });
  } catch (error) {
    const isExpected = error instanceof InvalidPayloadError || error instanceof UnknownTaskError;
    if (!isExpected) throw error;
    console.log(`  ${error.message}`);
  }
}
await app.close();

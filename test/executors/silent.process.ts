import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisExecutorsModule, type EmitOptions } from '../../lib/executors/index.js';
import { ChronisEvents, ChronisModule, SchedulerService, type TaskInput } from '../../lib/index.js';

/** An application that hands a run to a broker, is closed when that has ended, and has nothing else to do. */
async function main(): Promise<void> {
  const [, , emit, task] = process.argv as [string, string, string, string];

  @Module({
    imports: [
      ChronisExecutorsModule.forRoot({ emit: JSON.parse(emit) as EmitOptions }),
      ChronisModule.forRoot({ log: false }),
    ],
  })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const events = app.get(ChronisEvents);
  // TCP has no answers.
  const ended = Promise.race([events.once('run.failed'), events.once('run.succeeded')]);
  await app.get(SchedulerService).schedule({ task: JSON.parse(task) as TaskInput }, { in: 0 });
  await ended;
  await app.close();
  process.stdout.write('closed');
}

void main();

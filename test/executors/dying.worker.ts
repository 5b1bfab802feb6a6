import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisExecutorsModule } from '../../lib/executors/index.js';
import { ChronisModule, SchedulerService } from '../../lib/index.js';

/** A worker that runs the command of its argument until it is killed. */
async function main(): Promise<void> {
  @Module({
    imports: [
      ChronisExecutorsModule.forRoot({ command: { shell: true } }),
      ChronisModule.forRoot({ log: false }),
    ],
  })
  class WorkerModule {}

  process.on('SIGUSR2', () => process.exit(1));
  const app = await NestFactory.createApplicationContext(WorkerModule, { logger: false });
  const task = { type: 'execute_command', command: process.argv[2]!, shell: true };
  await app.get(SchedulerService).schedule({ task }, { in: 0 });
}

void main();

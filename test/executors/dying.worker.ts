import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BinaryStore, ChronisExecutorsModule } from '../../lib/executors/index.js';
import { ChronisModule, SchedulerService, type TaskInput } from '../../lib/index.js';

/** A worker that runs the command of its argument until it is killed; with a second one `binary`, as a program of the job. */
async function main(): Promise<void> {
  @Module({
    imports: [
      ChronisExecutorsModule.forRoot({ command: { shell: true }, binary: {} }),
      ChronisModule.forRoot({ log: false }),
    ],
  })
  class WorkerModule {}

  process.on('SIGUSR2', () => process.exit(1));
  const app = await NestFactory.createApplicationContext(WorkerModule, { logger: false });
  const [, , command, kind] = process.argv as [string, string, string, string?];
  let task: TaskInput = { type: 'execute_command', command, shell: true };
  if (kind === 'binary') {
    const bytes = Buffer.from(`#!/bin/sh\n${command}\n`);
    task = {
      type: 'binary',
      sha256: (await app.get(BinaryStore, { strict: false }).store({ bytes })).sha256,
    };
  }
  await app.get(SchedulerService).schedule({ task }, { in: 0 });
}

void main();

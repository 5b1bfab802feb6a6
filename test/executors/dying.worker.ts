import 'reflect-metadata';
import processes from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BinaryStore, ChronisExecutorsModule } from '../../lib/executors/index.js';
import { ChronisModule, SchedulerService, type TaskInput } from '../../lib/index.js';

/** It is killed when the command has begun, before it can do anything more. */
function dieAtSpawn(): void {
  const { spawn } = processes;
  processes.spawn = ((...given: Parameters<typeof spawn>) => {
    const child = spawn(...given);
    process.kill(process.pid, 'SIGKILL');
    return child;
  }) as typeof spawn;
  syncBuiltinESMExports();
}

/** A worker that runs the command of its argument until it is killed; with a second one `binary`, as a program of the job, with `at-spawn` only until that is begun. */
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
  if (kind === 'at-spawn') dieAtSpawn();
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

import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandExecutor } from '../../lib/executors/index.js';
import { ChronisModule, TaskExecutor } from '../../lib/index.js';
import { ChronisJobFiles } from '../../lib/job-files/index.js';

/** Loads doors without importing their modules, and prints what the boot tells of classes that nobody provides. */
async function main(): Promise<void> {
  @TaskExecutor('own')
  class OwnExecutor {
    readonly schema = {};
    execute(): void {}
  }

  const told: string[] = [];
  const on = { 'classes.unprovided': ({ methods }: { methods: readonly string[] }) => told.push(...methods) };

  @Module({ imports: [ChronisModule.forRoot({ log: false, on })] })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  await app.close();
  const loaded = [CommandExecutor, ChronisJobFiles, OwnExecutor].map(({ name }) => name);
  console.log(JSON.stringify({ loaded, told }));
}

void main();

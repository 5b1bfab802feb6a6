// A script, run by hand or by a CronJob of the platform: has a worker do something, and waits for it.
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SchedulerService } from 'nestjs-chronis';
import { chronisFor } from './chronis.js';

@Module({ imports: [chronisFor('api')] })
export class ScriptModule {}

/** Resolves with the verdict. */
export async function runReport(id: string): Promise<string> {
  const app = await NestFactory.createApplicationContext(ScriptModule, { logger: ['error', 'warn'] });
  try {
    const scheduler = app.get(SchedulerService);
    const run = await scheduler.runNow(id);
    const { verdict } = await scheduler.waitForRun(run.id, { timeout: '10m' });
    return verdict;
  } finally {
    await app.close();
  }
}

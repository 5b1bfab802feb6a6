// A process with one long run, for the test of SIGTERM.
import 'reflect-metadata';
import { once } from 'node:events';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, JobHandler, SchedulerService } from '../../lib/index.js';

@Injectable()
class Jobs {
  @JobHandler('long')
  async long(): Promise<void> {
    process.send?.('started');
    // Ends when the process was told to stop, and not before.
    await once(process, 'SIGTERM');
    process.send?.('finished');
  }
}

@Module({ imports: [ChronisModule.forRoot()], providers: [Jobs] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
app.enableShutdownHooks();
const scheduler = app.get(SchedulerService);
await scheduler.createDateJob({ handler: 'long', in: 1 });

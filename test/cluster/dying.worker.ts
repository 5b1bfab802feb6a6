// A process in which one handler ends the process, and another takes a while.
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, JobHandler } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';

const { DATABASE_URL: url, SCHEMA: schema, KILL_MS, WORK_MS } = process.env;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

@Injectable()
class Jobs {
  @JobHandler('poison')
  async poison(): Promise<void> {
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), Number(KILL_MS));
    await sleep(60_000);
  }

  @JobHandler('good')
  async good(): Promise<void> {
    await sleep(Number(WORK_MS));
  }
}

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: url!, schema: schema! }),
      app: 'dying',
      leaseMs: '1s',
      pollMs: 500,
      concurrency: 10,
    }),
  ],
  providers: [Jobs],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error'] });
app.enableShutdownHooks();
process.send?.('ready');

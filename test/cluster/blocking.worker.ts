// A process whose handler blocks the event loop in its first attempt.
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisEvents, ChronisModule, JobHandler, type RunContext } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';

const {
  DATABASE_URL: url,
  SCHEMA: schema,
  LEASE_MS: leaseMs,
  MAX_BLOCKED_MS: maxBlockedMs,
  BLOCK_MS,
} = process.env;

@Injectable()
class BlockingJobs {
  @JobHandler('block')
  block({ attempt }: RunContext): void {
    if (attempt > 1) return;
    // Like any call that does not return, but without taking the processor from other tests.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(BLOCK_MS));
  }
}

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: url!, schema: schema! }),
      app: 'blocking',
      leaseMs: Number(leaseMs),
      maxBlockedMs: Number(maxBlockedMs),
      pollMs: 500,
    }),
  ],
  providers: [BlockingJobs],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error'] });
app.get(ChronisEvents).on('beat.unavailable', ({ error }) => process.send?.({ unavailable: String(error) }));
app.enableShutdownHooks();
process.send?.('ready');

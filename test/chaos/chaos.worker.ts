// One worker process of the chaos test. Uses the public module and nothing else of it.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, JobHandler, SystemClock, type RunContext } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { jobs, type WorkerOptions } from './chaos.options.js';
import { Effects } from './effects.js';
import { jobsOf } from './workload.js';

const options = JSON.parse(process.env.CHAOS_WORKER!) as WorkerOptions;
const effects = new Effects(options.url);

class OffClock extends SystemClock {
  override now(): number {
    return super.now() + options.clockOffsetMs;
  }
}

class OneOffs {
  @JobHandler('one-off')
  async run(context: RunContext): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, (Number(context.runId) % 10) * 20));
    await effects.leave(context);
  }
}

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: options.url, schema: jobs, statementTimeoutMs: 2_000 }),
      app: 'chaos',
      name: options.name,
      clock: new OffClock(),
      leaseMs: options.leaseMs,
      pollMs: 1_000,
      concurrency: 40,
      shutdownTimeoutMs: 1_500,
      abortGraceMs: 500,
    }),
  ],
  providers: [OneOffs, jobsOf(options, effects)],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error', 'warn'] });
process.send?.('ready');
process.once('SIGTERM', () => {
  void app.close().then(async () => {
    await effects.close();
    process.exit(0);
  });
});
// The parent decides when to stop; when it is gone there is nothing left to prove.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(1));

// One process of the cluster test: thirty jobs at one-second pace, and a handler for one-offs.
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, Cron, Interval, JobHandler } from '../../lib/index.js';
import { typeOrmLock, typeOrmStorage } from '../../lib/typeorm/index.js';

@Injectable()
class PacedJobs {
  beat(): void {}

  @JobHandler('one-off')
  oneOff(): void {}
}

const beat = Object.getOwnPropertyDescriptor(PacedJobs.prototype, 'beat')!;
for (let i = 0; i < 15; i++) {
  // An instant that is late because the machine is busy must still become a run of its own.
  const options = { overlap: 'allow' as const, misfire: 'all' as const };
  Interval('1s', { id: `interval-${i}`, ...options })(PacedJobs.prototype, 'beat', beat);
  Cron('* * * * * *', { id: `cron-${i}`, ...options })(PacedJobs.prototype, 'beat', beat);
}

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: process.env.DATABASE_URL!, schema: process.env.SCHEMA! }),
      lock: typeOrmLock(),
      app: 'cluster-test',
    }),
  ],
  providers: [PacedJobs],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error', 'warn'] });
app.enableShutdownHooks();
process.send?.('ready');

import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisEvents, ChronisModule } from 'nestjs-chronis';
import { typeOrmLock, typeOrmStorage } from 'nestjs-chronis/typeorm';
import { ClusterJobs } from './cluster.jobs.js';

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: process.env.DATABASE_URL!, schema: 'cluster_sample' }),
      lock: typeOrmLock(),
      app: 'cluster-sample',
      name: process.env.WORKER_NAME!,
    }),
  ],
  providers: [ClusterJobs],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error', 'warn'] });
app.get(ChronisEvents).on('run.started', ({ jobId, nominalAt, lagMs }) => {
  process.send?.({ jobId, nominalAt: nominalAt.getTime(), lagMs });
});
process.send?.('ready');
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
// Ctrl-C reaches the whole group; the parent decides when to stop.
process.on('SIGINT', () => undefined);

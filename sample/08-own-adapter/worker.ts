import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisEvents, ChronisModule, Interval } from 'nestjs-chronis';
import { snapshotStorage } from './snapshot.storage.js';

@Injectable()
class Lighthouse {
  @Interval('1s', { id: 'turn-the-lamp' })
  turnTheLamp(): void {}

  @Interval('1500ms', { id: 'sound-the-horn' })
  async soundTheHorn(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: snapshotStorage({ folder: process.env.FOLDER! }),
      app: 'lighthouse',
      name: process.env.WORKER_NAME!,
      // There is no wake signal, so changes of others are seen by looking.
      pollMs: 200,
      leaseMs: '2s',
    }),
  ],
  providers: [Lighthouse],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error', 'warn'] });
app.get(ChronisEvents).on('run.started', ({ jobId, nominalAt }) => {
  console.log(`${nominalAt.toISOString().slice(11, 21)}  ${process.env.WORKER_NAME!.padEnd(4)}  ${jobId}`);
});
process.send?.('ready');
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
// Ctrl-C reaches the whole group; the parent decides when to stop.
process.on('SIGINT', () => undefined);

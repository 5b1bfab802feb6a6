// A process that executes the workflow `ends`, and is killed or frozen at one place of it: by itself, so that it is nowhere else.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, SchedulerService, type StorageAdapter } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { registerSteps } from './step.ends.flow.js';
import { StepEndsWatch, type Place, type StepEnd } from './step.ends.watch.js';

/** What it is to do, as JSON in `ORDER`. */
export interface StepEndsOrder {
  url: string;
  schema: string;
  queue: string;
  leaseMs: number;
  statementTimeoutMs: number;
  signal: 'SIGKILL' | 'SIGSTOP';
  /** Null: nothing is done to it. */
  place: Place | null;
  /** The step within which it is done, before its end; null: at the place. */
  within: string | null;
}

/** What it says: it is about to be frozen · an end of a step has been answered. */
export type StepEndsWord = 'striking' | StepEnd;

const order = JSON.parse(process.env.ORDER!) as StepEndsOrder;
const { url, schema, queue, leaseMs, statementTimeoutMs, signal, place, within } = order;

const say = (word: StepEndsWord): Promise<void> =>
  new Promise((resolve) => void process.send!(word, () => resolve()));

async function strike(): Promise<void> {
  if (signal === 'SIGSTOP') await say('striking');
  process.kill(process.pid, signal);
}

const watch = new StepEndsWatch(schema, place, strike, (end) => void say(end));
const storage = {
  create: async () =>
    watch.storage((await typeOrmStorage({ url, schema, statementTimeoutMs }).create()) as StorageAdapter),
};

@Module({
  imports: [
    ChronisModule.forRoot({
      ...{ storage, leaseMs, app: 'ends', queues: [queue], concurrency: 1, pollMs: 200 },
      ...{ autoStart: false, log: false },
    }),
  ],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error'] });
registerSteps(app, schema, async (runId, step) => {
  await watch.begun(runId, step);
  if (step === within) await strike();
});
await app.get(SchedulerService).start();

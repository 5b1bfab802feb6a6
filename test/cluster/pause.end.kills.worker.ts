// A worker process that ends pauses, and is killed at one statement of that: by itself, so that it is nowhere else.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisEvents, ChronisModule, SchedulerService, type StorageAdapter } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { StruckStatements, type StrikePlace } from '../support/struck.statements.js';

/** What it is to do. */
export interface PauseEndOrder {
  url: string;
  schema: string;
  leaseMs: number;
  /** Null: nothing is done to it. */
  place: StrikePlace | null;
}

/** What it tells: the pause of this kind and name has ended, as it says to its listeners · the statements of the call that has ended some. */
export type PauseEndWord = { ended: string } | { statements: string[] };

const { url, schema, leaseMs, place } = JSON.parse(process.env.ORDER!) as PauseEndOrder;
const say = (word: PauseEndWord): void => void process.send!(word);
const watch = new StruckStatements(
  schema,
  (_, nth) => (nth === place?.nth ? place.when : null),
  () => process.kill(process.pid, 'SIGKILL'),
);
const storage = {
  create: () => {
    const own = typeOrmStorage({ url, schema }).create() as StorageAdapter;
    const endPauses = own.endPauses!.bind(own);
    own.endPauses = async (...given) => {
      const call = { statements: [] as string[] };
      const answer = await watch.within(call, () => endPauses(...given));
      if (answer.ended.length > 0) say(call);
      return answer;
    };
    return own;
  },
};

@Module({
  imports: [
    ChronisModule.forRoot({
      ...{ storage, leaseMs, pollMs: 200, log: false, autoStart: false, allowUnknownHandler: true },
    }),
  ],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error'] });
app.get(ChronisEvents).on('pause.ended', ({ kind, name }) => say({ ended: `${kind} ${name}` }));
const scheduler = app.get(SchedulerService);
scheduler.registerHandler('work', () => undefined);
await scheduler.start();

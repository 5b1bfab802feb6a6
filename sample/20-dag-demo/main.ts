import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisModule,
  DefinitionService,
  JobHandler,
  SchedulerService,
  WorkflowService,
  type RunContext,
} from 'nestjs-chronis';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';
import { provideDatabase } from '../support/database.js';

// A graph and schedules as data: Root → Child, five seconds later → Leaf; root is completed from outside. Beside it one schedule fires every 5 s and another every 10 s. It ends by itself.

const database = await provideDatabase();
const begin = Date.now();
const say = (text: string): void =>
  console.log(`  ${((Date.now() - begin) / 1_000).toFixed(1).padStart(4)} s  ${text}`);

@Injectable()
class Printer {
  @JobHandler('print')
  print({ payload, nominalAt }: RunContext<{ text: string }>): void {
    say(`${payload.text} (due ${nominalAt.toISOString().slice(11, 19)})`);
  }
}

@Module({
  imports: [
    ChronisModule.forRoot({ storage: typeOrmStorage({ url: database.url, schema: 'dag_demo' }), log: false }),
  ],
  providers: [Printer],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const definitions = app.get(DefinitionService);
const scheduler = app.get(SchedulerService);
const workflows = app.get(WorkflowService);

const defined = await definitions.defineMany([
  {
    name: 'dag',
    keep: '1m',
    steps: [
      { name: 'root', manual: true },
      { name: 'child', handler: 'print', after: 'root', delay: '5s', payload: { text: 'child runs' } },
      { name: 'leaf', handler: 'print', after: 'child', payload: { text: 'leaf runs' } },
    ],
  },
  { name: 'every-5s', handler: 'print', cron: '*/5 * * * * *', payload: { text: 'every 5 s' } },
  { name: 'every-10s', handler: 'print', cron: '*/10 * * * * *', payload: { text: 'every 10 s' } },
]);
for (const result of defined) if (result.status === 'rejected') throw result.error;

await definitions.start('every-5s');
await definitions.start('every-10s');
const { job } = await definitions.start('dag', { key: 'dag-1' });
const [run] = (await scheduler.getRuns({ jobId: job.id })).items;
const runId = run!.id;
say('the graph has begun');

/** Completes a manual step once it may be. */
async function complete(step: string): Promise<void> {
  for (;;) {
    const graph = await workflows.graph(runId);
    const found = graph?.steps.find(({ name }) => name === step);
    if (found?.state === 'released' && found.runState === 'open') break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await workflows.complete({ runId, step });
  say(`${step} is completed`);
}

await complete('root');
const { verdict } = await scheduler.waitForRun(runId);
say(`the graph has ${verdict}`);

// The schedules go on for a while.
await new Promise((resolve) => setTimeout(resolve, Math.max(0, begin + 16_000 - Date.now())));
await app.close();
await database.stop();

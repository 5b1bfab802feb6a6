import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, SchedulerService, WorkflowService } from 'nestjs-chronis';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';
import { provideDatabase } from '../support/database.js';
import { Nightly } from './nightly.workflow.js';
import { Source } from './source.js';

const database = await provideDatabase();

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: database.url, schema: 'export_sample' }),
      log: false,
    }),
  ],
  providers: [Source, Nightly],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const scheduler = app.get(SchedulerService);
const workflows = app.get(WorkflowService);

/** Each step with how it stands, and what it waits for. */
async function show(runId: string): Promise<void> {
  const graph = await workflows.graph(runId, { instances: true });
  for (const { name, nth, state, waitsFor, reason } of graph!.steps) {
    const step = nth === null ? name : `${name} ${nth}`;
    console.log(`    ${step.padEnd(12)} ${state.padEnd(10)} ${waitsFor ?? reason?.split('\n')[0] ?? ''}`);
  }
}

console.log('A row is wrong:');
const { runId } = await workflows.start('nightly', { key: 'nightly:today' });
const first = await scheduler.waitForRun(runId);
console.log(`  the workflow has ${first.verdict}`);
await show(runId);

console.log('The row is corrected, and the workflow goes on from there:');
app.get(Source).correct(2, '20');
const retried = await workflows.retry(runId, { from: 'failed' });
const approval = { runId: retried.runId, step: 'approve' };
while (
  (await workflows.graph(retried.runId))!.steps.find(({ name }) => name === 'approve')!.state !== 'released'
)
  await new Promise((resolve) => setTimeout(resolve, 50));
await show(retried.runId);

console.log('Somebody approves:');
await workflows.complete(approval, { by: 'alice' });
const { verdict, result } = await scheduler.waitForRun(retried.runId);
console.log(`  the workflow has ${verdict}: ${JSON.stringify(result)}`);
await show(retried.runId);

await app.close();
await database.stop();

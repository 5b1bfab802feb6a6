import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, SchedulerService, WorkflowService } from 'nestjs-chronis';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';
import { provideDatabase } from '../support/database.js';
import { OrderWorkflow, type Order } from './order.workflow.js';

const database = await provideDatabase();

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: database.url, schema: 'workflow_sample' }),
      pollMs: 200,
      log: false,
    }),
  ],
  providers: [OrderWorkflow],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const workflows = app.get(WorkflowService);
const scheduler = app.get(SchedulerService);

/** Waits until somebody has to look at the order. */
async function untilChecked(runId: string): Promise<void> {
  for (;;) {
    const graph = await workflows.graph(runId);
    if (graph?.steps.some(({ name, runState }) => name === 'check' && runState === 'open')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function show(runId: string): Promise<void> {
  const { steps, state } = (await workflows.graph(runId))!;
  console.log(`  the workflow: ${state}`);
  for (const step of steps)
    console.log(`    ${step.name}: ${step.state}${step.waitsFor ? `. ${step.waitsFor}` : ''}`);
}

const order: Order = { id: 7, lines: [3, 5] };
const { runId } = await workflows.start('order', { params: order, key: 'order:7' });
const again = await workflows.start('order', { params: order, key: 'order:7' });
console.log(`  started again: ${again.status}, the same run: ${again.runId === runId}`);
await untilChecked(runId);
await workflows.complete({ runId, step: 'check' }, { by: 'Alice' });
await scheduler.waitForRun(runId);
await show(runId);

const refused = await workflows.start('order', { params: { ...order, id: 8 } });
await untilChecked(refused.runId);
await workflows.fail({ runId: refused.runId, step: 'check' }, new Error('a line is missing'));
await scheduler.waitForRun(refused.runId);
await show(refused.runId);

await app.close();
await database.stop();

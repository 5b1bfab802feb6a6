// A process that executes the steps of random graphs.
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, JobHandler, UnrecoverableError, type StepContext } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { itemResult, numberResult, type Item, type StepOrder } from './graph.plan.js';

const { DATABASE_URL: url, SCHEMA: schema, LEASE_MS: leaseMs, STEP_MS: stepMs } = process.env;

const later = (): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, Math.random() * Number(stepMs)));

@Injectable()
class Steps {
  @JobHandler('number')
  async number(ctx: StepContext): Promise<unknown> {
    const order = ctx.payload as unknown as StepOrder;
    await later();
    if (order.ends === 'skipped') return ctx.skip('as planned');
    if (order.ends === 'badly') throw new UnrecoverableError('as planned');
    if (order.ends === 'flaky' && ctx.attempt === 1) throw new Error('as planned, once');
    const results: unknown[] = [];
    for (const name of order.parents ?? []) {
      const { verdict } = await ctx.parent(name);
      if (verdict === 'succeeded') results.push(await ctx.result(name));
    }
    return numberResult(order, results);
  }

  @JobHandler('item')
  async item({ payload }: StepContext): Promise<number> {
    await later();
    const result = itemResult(payload as unknown as Item | number | null);
    if (result === null) throw new UnrecoverableError('as planned');
    return result;
  }
}

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: url!, schema: schema! }),
      app: 'graphs',
      leaseMs: Number(leaseMs),
      pollMs: 500,
      concurrency: 20,
      log: false,
    }),
  ],
  providers: [Steps],
})
class WorkerModule {}

await NestFactory.createApplicationContext(WorkerModule, { logger: ['error'] });
process.send?.('ready');

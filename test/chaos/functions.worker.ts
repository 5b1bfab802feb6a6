// A process that executes durable functions, and writes down each step before it does anything.
import 'reflect-metadata';
import { appendFileSync } from 'node:fs';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, JobHandler, type RunContext } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';

const { DATABASE_URL: url, SCHEMA: schema, NOTES: notes, LEASE_MS: leaseMs } = process.env;

const later = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

interface Manager {
  query(text: string, values: unknown[]): Promise<unknown>;
}

@Injectable()
class Functions {
  @JobHandler('function')
  async perform({ payload, runId, step, sleep, waitFor }: RunContext<{ ms: number }>): Promise<unknown> {
    const { ms } = payload;
    const plain = (name: string): Promise<string> =>
      step(name, async () => {
        // It outlives a kill -9.
        appendFileSync(notes!, `${runId} ${name}\n`);
        await later(ms);
        return name;
      });
    const written = (name: string): Promise<string> =>
      step.transaction(name, async (manager) => {
        const text = `insert into "${schema}".effect (run_id, step) values ($1, $2)`;
        await (manager as Manager).query(text, [runId, name]);
        await later(ms);
        return name;
      });
    const first = await plain('first');
    const invoice = await written('invoice');
    await sleep(10 * ms);
    const beside = await Promise.all([plain('left'), plain('right'), written('beside')]);
    const won = await Promise.race([
      waitFor<number>('go').then((nth) => `go ${nth}`),
      sleep('1d', { name: 'patience' }).then(() => 'nobody'),
    ]);
    return [first, invoice, ...beside, won, await plain('last')];
  }
}

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: url!, schema: schema! }),
      app: 'functions',
      leaseMs: Number(leaseMs),
      pollMs: 500,
      concurrency: 20,
    }),
  ],
  providers: [Functions],
})
class WorkerModule {}

await NestFactory.createApplicationContext(WorkerModule, { logger: ['error'] });
process.send?.('ready');

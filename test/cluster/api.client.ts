// One process of the API test: calls of its own against the model, and calls on jobs that all processes share.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import fc from 'fast-check';
import {
  ChronisModule,
  JobAlreadyExistsError,
  JobNotFoundError,
  SchedulerService,
  StaleJobError,
} from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { JobModel } from '../scheduler/model/job.model.js';
import { firstDifference, operations } from '../scheduler/model/operations.js';
import type { ClientReport } from './api.report.js';

const { DATABASE_URL: url, SCHEMA: schema, NAME: name, SEED, RUNS, ROUNDS } = process.env;
const seed = Number(SEED);

@Module({
  imports: [
    ChronisModule.forRoot({ storage: typeOrmStorage({ url: url!, schema: schema! }), app: 'api-test' }),
  ],
})
class ClientModule {}

const app = await NestFactory.createApplicationContext(ClientModule, { logger: ['error'] });
const service = app.get(SchedulerService);
service.registerHandler('shared', () => undefined);

const report: ClientReport = { differences: [], created: {}, deleted: {}, revisions: {}, runIds: [] };

async function ownJobs(): Promise<void> {
  let serial = 0;
  const property = fc.asyncProperty(fc.array(operations, { minLength: 10, maxLength: 40 }), async (calls) => {
    const difference = await firstDifference(calls, service, new JobModel(), `${name}-${++serial}`);
    if (difference !== null) throw new Error(JSON.stringify(difference));
  });
  const { counterexample, errorInstance } = await fc.check(property, { seed, numRuns: Number(RUNS) });
  if (counterexample !== null) {
    report.differences.push(
      `${String(errorInstance)} in ${counterexample[0].map(({ text }) => text).join('; ')}`,
    );
  }
}

const namespace = 'shared';
const never = { cron: '0 0 1 1 *', startAt: '2090-01-01T00:00:00Z' };

/** What the others do to the same jobs at the same moment decides which of the legal answers comes. */
const sharedCalls: Record<string, (id: string) => Promise<void>> = {
  create: async (id) => {
    await service.schedule('shared', { id, namespace, ...never });
    count(report.created, id);
  },
  delete: async (id) => {
    await service.deleteJob(id, { namespace });
    count(report.deleted, id);
  },
  update: async (id) => {
    const job = await service.getJob(id, { namespace });
    if (job === null) return;
    const changed = await service.updateJob(
      id,
      { payload: `${name} ${job.revision}` },
      { namespace, expectedRevision: job.revision },
    );
    // Two that have read the same must not both have written.
    count(report.revisions, `${id} ${changed.createdAt.toISOString()} ${changed.revision}`);
  },
  run: async (id) => void report.runIds.push((await service.runNow(id, { namespace })).id),
  cancel: async (id) => void (await service.cancelJob(id, { namespace })),
};

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

async function sharedJobs(): Promise<void> {
  const calls = fc.tuple(fc.constantFrom(...Object.keys(sharedCalls)), fc.constantFrom('x', 'y', 'z'));
  for (const [call, id] of fc.sample(calls, { seed, numRuns: Number(ROUNDS) })) {
    try {
      await sharedCalls[call]!(id);
    } catch (error) {
      const legal = [JobAlreadyExistsError, JobNotFoundError, StaleJobError];
      if (!legal.some((kind) => error instanceof kind))
        report.differences.push(`${call} ${id}: ${String(error)}`);
    }
  }
}

await Promise.all([ownJobs(), sharedJobs()]);
await app.close();
process.send?.(report, () => process.disconnect());

// What those of ours have in common that need no server: one process creates the jobs and runs them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { about as usual } from './chronis.mjs';

const ofServers = 'it measures what a server does';
const ofProcesses = 'one process has the storage';

export const door = (path) => import(new URL(`../../dist/${path}`, import.meta.url));

export function aboutEmbedded(name, keeps) {
  const cannot = Object.fromEntries(
    ['minute', 'lag', 'idle', 'growth', 'running', 'bloat', 'instances', 'flow'].map((suite) => [suite, ofServers]),
  );
  return { ...usual, name, keeps, oneProcess: true, cannot: { ...cannot, 'several processes': ofProcesses } };
}

/** `storageAt`: the storage in a file of this name; undefined: in memory. */
export async function openEmbedded({ mode }, storageAt) {
  await import('reflect-metadata');
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { ChronisModule, SchedulerService } = await door('index.js');
  const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'chronis-bench-'));
  const storage = await storageAt(join(folder, 'jobs'));
  class BenchModule {}
  const concurrency = mode === 'crons' ? 10_000 : 1_000;
  const chronis = ChronisModule.forRoot({ ...(storage && { storage }), autoStart: false, concurrency });
  Module({ imports: [chronis] })(BenchModule);
  const app = await NestFactory.createApplicationContext(BenchModule, { logger: ['error', 'warn'] });
  const scheduler = app.get(SchedulerService);
  const created = (results) => {
    const rejected = results.find(({ status }) => status === 'rejected');
    if (rejected) throw rejected.error;
  };
  const options = { allowUnknownHandler: true };
  return {
    create: async (jobs) => created(await scheduler.createMany(jobs.map(() => ({ handler: 'noop', at: Date.now(), ...options })))),
    createOne: () => scheduler.schedule('noop', { at: Date.now(), ...options }).then(() => undefined),
    async crons(count, pace) {
      const timing = pace === 'second' ? { every: '1s' } : { cron: pace === 'minute' ? '* * * * *' : '0 0 1 1 *' };
      const items = Array.from({ length: count }, (_, key) => ({
        ...{ id: `${pace}-${key}`, handler: 'recurring', payload: { key } },
        ...timing,
        ...options,
      }));
      created(await scheduler.createMany(items));
    },
    async work(note) {
      scheduler.registerHandler('noop', ({ payload }) => note(payload));
      scheduler.registerHandler('recurring', ({ payload, nominalAt }) =>
        note({ since: nominalAt.getTime(), key: payload.key }),
      );
      await scheduler.start();
    },
    remaining: () => scheduler.countJobs({ handler: 'noop' }),
    async close() {
      await app.close();
      rmSync(folder, { recursive: true });
    },
  };
}

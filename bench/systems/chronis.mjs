import { counter } from '../counter.mjs';

export const about = {
  name: 'chronis',
  package: 'nestjs-chronis',
  keeps: 'a ledger row per run',
  setting: 'throughput, flow: concurrency 1000 · crons: concurrency 10000 · otherwise defaults',
};

const door = (path) => import(new URL(`../../dist/${path}`, import.meta.url));

/**
 * `mode`: 'throughput' for long queues, 'crons' for many at the same time, 'latency' for the others; `keep`: of one-offs; `traced`: with ChronisTracingModule. The same for all systems.
 */
export async function open({ url, mode, keep, traced = false }) {
  await import('reflect-metadata');
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { ChronisModule, DefinitionService, SchedulerService } = await door('index.js');
  const { typeOrmLock, typeOrmStorage } = await door('typeorm/index.js');

  class BenchModule {}
  const chronis = ChronisModule.forRoot({
    storage: typeOrmStorage({ url }),
    lock: typeOrmLock(),
    autoStart: false,
    ...(mode === 'latency' ? {} : { concurrency: mode === 'crons' ? 10_000 : 1_000 }),
  });
  const tracing = traced ? [(await door('tracing/index.js')).ChronisTracingModule.forRoot()] : [];
  Module({ imports: [...tracing, chronis] })(BenchModule);
  const app = await NestFactory.createApplicationContext(BenchModule, { logger: ['error', 'warn'] });
  const scheduler = app.get(SchedulerService);
  const left = counter(
    url,
    `select exists (select from chronis.run where verdict is null and (worker is not null or due_at <= now()))::int`,
  );

  const item = ({ name = 'noop', at, data, priority }) => ({
    handler: name,
    at: at ?? Date.now(),
    ...(keep === undefined ? {} : { keep }),
    ...(data === undefined ? {} : { payload: data }),
    ...(priority === undefined ? {} : { priority }),
    allowUnknownHandler: true,
  });
  const created = (results) => {
    const rejected = results.find(({ status }) => status === 'rejected');
    if (rejected) throw rejected.error;
  };

  return {
    create: async (jobs) => created(await scheduler.createMany(jobs.map(item))),
    createOne: (job) => {
      const { handler, ...options } = item(job);
      return scheduler.schedule(handler, options).then(() => undefined);
    },
    async crons(count, pace) {
      const timing = { second: { every: '1s' }, minute: { cron: '* * * * *' }, year: { cron: '0 0 1 1 *' } }[
        pace
      ];
      const handler = pace === 'year' ? 'yearly' : 'recurring';
      const items = Array.from({ length: count }, (_, key) => ({
        id: `${pace}-${key}`,
        handler,
        ...timing,
        payload: { key },
        allowUnknownHandler: true,
      }));
      created(await scheduler.createMany(items));
    },
    /** Recurring jobs that are all due at the same instant; `timing`: options of each, such as a cron and a jitter. */
    async daily(count, timing) {
      for (let done = 0; done < count; done += 10_000) {
        const items = Array.from({ length: Math.min(10_000, count - done) }, (_, index) => ({
          id: `daily-${done + index}`,
          handler: 'recurring',
          ...timing,
          payload: { key: done + index },
          allowUnknownHandler: true,
        }));
        created(await scheduler.createMany(items));
      }
    },
    async flow(parents) {
      const definitions = app.get(DefinitionService);
      const steps = parents.map((above, step) => ({
        name: String(step),
        handler: 'noop',
        payload: { key: step },
        after: above.map(String),
      }));
      await definitions.define({ name: 'graph', steps, allowUnknownHandler: true });
      await definitions.start('graph', { allowUnknownHandler: true });
    },
    async work(note) {
      scheduler.registerHandler('noop', ({ payload }) => note(payload));
      scheduler.registerHandler('endless', ({ signal }) => new Promise((end) => signal.addEventListener('abort', end)));
      scheduler.registerHandler('recurring', ({ payload, nominalAt }) =>
        note({ since: nominalAt.getTime(), key: payload.key }),
      );
      await scheduler.start();
    },
    remaining: left.read,
    async close() {
      await left.close();
      await app.close();
    },
  };
}

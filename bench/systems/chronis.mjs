import { counter } from '../counter.mjs';

export const about = {
  name: 'chronis',
  package: 'nestjs-chronis',
  keeps: 'a ledger row per run',
  setting: 'throughput: concurrency 1000 · otherwise defaults',
};

const door = (path) => import(new URL(`../../dist/${path}`, import.meta.url));

/** `mode`: 'throughput' for long queues, 'latency' for the others; `concurrency`: for what is meant to run beside each other. */
export async function open({ url, mode, concurrency }) {
  await import('reflect-metadata');
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { ChronisModule, SchedulerService } = await door('index.js');
  const { typeOrmLock, typeOrmStorage } = await door('typeorm/index.js');

  class BenchModule {}
  const chronis = ChronisModule.forRoot({
    storage: typeOrmStorage({ url }),
    lock: typeOrmLock(),
    autoStart: false,
    ...(mode === 'throughput' ? { concurrency: 1_000 } : concurrency ? { concurrency } : {}),
  });
  Module({ imports: [chronis] })(BenchModule);
  const app = await NestFactory.createApplicationContext(BenchModule, { logger: ['error', 'warn'] });
  const scheduler = app.get(SchedulerService);
  const left = counter(
    url,
    `select count(*) from chronis.run where verdict is null and (worker is not null or due_at <= now())`,
  );

  const item = ({ name = 'noop', at, data }) => ({
    handler: name,
    at: at ?? Date.now(),
    ...(data === undefined ? {} : { payload: data }),
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
    async work(note) {
      scheduler.registerHandler('noop', ({ payload }) => note(payload));
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

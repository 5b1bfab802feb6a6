import { counter } from '../counter.mjs';

export const about = {
  name: 'pg-boss',
  package: 'pg-boss',
  keeps: 'completed jobs for its 7 days',
  minNode: 22,
  setting:
    'throughput: 2 workers with batches of 1000, fetching on while batches are full · flow: the same, polling each 0.5 s, its resolver each 1 s · otherwise LISTEN/NOTIFY on, polling each 0.5 s, batches of 100 (crons: looking for due schedules each second)',
  resolvesFlows: true,
  cannot: { recurring: 'its schedules know minutes, not seconds' },
};

export async function open({ url, mode }) {
  const { PgBoss } = await import('pg-boss');
  const boss = new PgBoss({
    connectionString: url,
    useListenNotify: true,
    flowIntervalSeconds: 1,
    ...(mode === 'crons' ? { cronMonitorIntervalSeconds: 1, cronWorkerIntervalSeconds: 1 } : {}),
  });
  boss.on('error', (error) => console.error(error));
  await boss.start();
  const left = counter(
    url,
    `select exists (select from pgboss.job where name = 'noop' and state < 'completed')::int`,
  );
  const queues = new Set();
  const queue = async (name) => {
    if (queues.has(name)) return;
    queues.add(name);
    await boss.createQueue(name, { notify: true });
  };
  await queue('noop');
  await queue('recurring');

  const startAfter = (at) => (at === undefined ? {} : { startAfter: new Date(at) });
  const options =
    mode === 'throughput' || mode === 'flow'
      ? {
          batchSize: 1_000,
          localConcurrency: 2,
          pollingIntervalSeconds: 0.5,
          burstWhenBatchFull: true,
          // What its resolver lets go is not notified.
          ...(mode === 'flow' ? { notifyPollingIntervalSeconds: 0.5 } : {}),
        }
      : {
          batchSize: 100,
          pollingIntervalSeconds: 0.5,
          notifyPollingIntervalSeconds: 0.5,
          burstWhenBatchFull: true,
        };
  return {
    async create(jobs) {
      const name = jobs[0]?.name ?? 'noop';
      await queue(name);
      await boss.insert(
        name,
        jobs.map(({ at, data }) => ({ data: data ?? {}, ...startAfter(at) })),
      );
    },
    createOne: ({ name = 'noop', at, data }) =>
      boss.send(name, data ?? {}, startAfter(at)).then(() => undefined),
    async crons(count, pace) {
      const name = pace === 'year' ? 'yearly' : 'recurring';
      await queue(name);
      const cron = pace === 'year' ? '0 0 1 1 *' : '* * * * *';
      for (let key = 0; key < count; key++) await boss.schedule(name, cron, { key }, { key: `k${key}` });
    },
    async flow(parents) {
      const jobs = parents.map((above, step) => ({
        ref: String(step),
        name: 'noop',
        data: { key: step },
        dependsOn: above.map(String),
      }));
      await boss.flow(jobs);
    },
    async work(note) {
      for (const name of ['noop', 'recurring']) {
        await boss.work(name, options, async (jobs) => {
          for (const { data } of jobs) note(data);
        });
      }
    },
    remaining: left.read,
    async close() {
      await left.close();
      await boss.stop({ graceful: false });
    },
  };
}

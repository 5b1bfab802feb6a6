import { counter } from '../counter.mjs';

export const about = {
  name: 'agenda',
  package: 'agenda',
  keeps: 'nothing (removeOnComplete)',
  setting: 'processEvery 1 s, LISTEN/NOTIFY on, pool of 20, concurrency 100',
  slow: true,
  cronsIn: 'worker',
  cannot: { flow: 'it knows no steps that wait for others' },
};

export async function open({ url }) {
  const { Agenda } = await import('agenda');
  const { PostgresBackend } = await import('@agendajs/postgres-backend');
  const agenda = new Agenda({
    backend: new PostgresBackend({ poolConfig: { connectionString: url, max: 20 } }),
    processEvery: 1_000,
    maxConcurrency: 100,
    defaultConcurrency: 100,
    defaultLockLimit: 0,
    removeOnComplete: true,
  });
  agenda.on('error', (error) => console.error(error));
  await agenda.ready;
  const left = counter(url, `select exists (select from agenda_jobs where name = 'noop')::int`);
  let workers = false;
  const names = [];
  const createOne = ({ name = 'noop', at, data = {} }) =>
    (at === undefined ? agenda.now(name, data) : agenda.schedule(new Date(at), name, data)).then(
      () => undefined,
    );
  return {
    createOne,
    async create(jobs) {
      for (let start = 0; start < jobs.length; start += 50) {
        await Promise.all(jobs.slice(start, start + 50).map(createOne));
      }
    },
    async crons(count, pace) {
      const interval = { second: '1 second', minute: '* * * * *', year: '0 0 1 1 *' }[pace];
      // One recurring job for each name, as it wants it.
      for (let key = 0; key < count; key++) {
        const name = `${pace === 'year' ? 'yearly' : 'recurring'}-${key}`;
        if (pace !== 'year') names.push(name);
        await agenda.every(interval, name, { key }, { skipImmediate: true });
      }
    },
    async work(note) {
      workers = true;
      agenda.define('noop', async (job) => note(job.attrs.data));
      for (const name of names) {
        agenda.define(name, async ({ attrs }) => note({ key: attrs.data.key }));
      }
      await agenda.start();
    },
    remaining: left.read,
    async close() {
      await left.close();
      if (workers) await agenda.stop();
    },
  };
}

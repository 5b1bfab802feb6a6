import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../figures.mjs';
import { wallNow } from '../starts.mjs';

export const suite = {
  about:
    'Recurring jobs that are all due at the same second, on workers with the default concurrency of 10: as they are, and spread by the option jitter. How long it takes until all have started, whether any was lost, doubled or early, how long an urgent job (priority 0) waits meanwhile that another process creates five times a second, and the memory of a worker. No warm-up.',
  mode: 'latency',
  rounds: 3,
  quickRounds: 1,
  onlyOurs: true,
  settings: ({ quick }) =>
    [
      { workers: 1, jitter: 0 },
      { workers: 3, jitter: 0 },
      { workers: 1, jitter: quick ? 10 : 60 },
    ].map(({ workers, jitter }) => ({
      name: `${quick ? 10_000 : 100_000} jobs, ${workers} ${workers === 1 ? 'worker' : 'workers'}${jitter === 0 ? '' : `, jitter ${jitter} s`}`,
      jobs: quick ? 10_000 : 100_000,
      // For the creation.
      leadMs: quick ? 30_000 : 120_000,
      workers,
      jitter,
    })),

  async run(run, { jobs, workers: count, jitter, leadMs }) {
    const workers = [];
    for (let index = 0; index < count; index++) workers.push(await run.start('worker'));
    const due = new Date(Math.ceil((Date.now() + leadMs) / 1_000) * 1_000);
    const cron = `${due.getUTCSeconds()} ${due.getUTCMinutes()} ${due.getUTCHours()} * * *`;
    await run.client.call('daily', jobs, { cron, ...(jitter === 0 ? {} : { jitter: `${jitter}s` }) });
    for (const worker of workers) await worker.call('work');
    if (due.getTime() - Date.now() < 3_000) throw new Error('Creating the jobs took too long.');
    await delay(due.getTime() - wallNow());
    const { seen, peak } = await watched(run, workers, jobs, due.getTime() + leadMs + jitter * 1_000);
    const urgent = seen.filter(({ key }) => key === undefined).map(({ at, since }) => at - since);
    const daily = seen.filter(({ key }) => key !== undefined);
    const lags = daily.map(({ at }) => at - due.getTime());
    const distinct = new Set(daily.map(({ key }) => key)).size;
    const line = (measure, value, unit, better = 'less') => ({ measure, value, unit, better });
    return [
      line('last', distinct < jobs ? Infinity : lags.reduce((most, lag) => Math.max(most, lag), 0) / 1_000, 's'),
      line('rate', jobs / ((quantile(lags, 0.9) - quantile(lags, 0.1)) / 800), 'starts per second', 'more'),
      line('early', lags.filter((lag) => lag < 0).length, 'starts', null),
      line('lost', jobs - distinct, 'jobs', null),
      line('doubled', daily.length - distinct, 'starts', null),
      line('urgent jobs, lag p50', quantile(urgent, 0.5), 'ms'),
      line('urgent jobs, lag p99', quantile(urgent, 0.99), 'ms'),
      line('memory of a worker', peak / 2 ** 20, 'MiB RSS'),
    ];
  },
};

/** What has started until all have, or until the time is over; and the most memory that a worker took. */
async function watched(run, workers, jobs, end) {
  const seen = [];
  let peak = 0;
  for (let started = 0; started < jobs && wallNow() < end;) {
    await run.client.call('createNow', { priority: 0 });
    await delay(200);
    for (const worker of workers) {
      const { noted } = await worker.call('take');
      for (const start of noted) seen.push(start);
      started += noted.filter(({ key }) => key !== undefined).length;
      peak = Math.max(peak, (await worker.call('usage')).rss);
    }
  }
  await delay(1_000);
  for (const worker of workers) for (const start of (await worker.call('take')).noted) seen.push(start);
  return { seen, peak };
}

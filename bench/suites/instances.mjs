import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../figures.mjs';
import { startRate } from '../measures.mjs';
import { ServerWatch } from '../server.watch.mjs';
import { wallNow } from '../starts.mjs';

const processes = 4;

export const suite = {
  about:
    'Many workers on one database: applications of their own, several in each of 4 processes, as a machine of two cores has no room for more. Idle; with a job due now ten times a second, which one of them shall take and the others leave alone; and with very many made while they work. Transactions are those that PostgreSQL counts; connections that wait for a lock are looked for every 50 ms. Warm-up: 8 s.',
  mode: 'latency',
  rounds: 3,
  quickRounds: 1,
  onlyOurs: true,
  settings: ({ quick }) =>
    [4, 20].map((workers) => ({ name: `${workers} workers`, workers, seconds: quick ? 10 : 60, jobs: quick ? 5_000 : 50_000 })),

  async run(run, { workers: count, seconds, jobs }) {
    const workers = [];
    for (let index = 0; index < processes; index++) workers.push(await run.start('worker', count / processes));
    for (const worker of workers) await worker.call('work');
    await delay(8_000);
    const line = (measure, value, unit, better = 'less') => ({ measure, value, unit, better });
    const idle = await watched(run, () => delay(seconds * 1_000));
    const lags = [];
    const trickle = await watched(run, () => trickleOf(run, workers, seconds, lags));
    const drain = await watched(run, async () => {
      await run.client.call('fill', jobs);
      return startRate(run, jobs, workers);
    });
    return [
      line('idle, transactions', idle.transactions, 'per second'),
      line('idle, connections', idle.connections, 'connections'),
      line('ten jobs a second, transactions', trickle.transactions, 'per second'),
      line('ten jobs a second, lag p50', quantile(lags, 0.5), 'ms'),
      line('ten jobs a second, lag p99', quantile(lags, 0.99), 'ms'),
      line('ten jobs a second, waiting for locks', trickle.waiting, 'connections, mean'),
      line('drain', drain.value.perSecond, 'jobs/s', 'more'),
      line('drain, transactions', drain.transactions * drain.seconds / jobs, 'per job'),
      line('drain, waiting for locks', drain.waiting, 'connections, mean'),
      line('drain, waiting for locks', drain.mostWaiting, 'connections, most'),
      line('deadlocks', idle.deadlocks + trickle.deadlocks + drain.deadlocks, 'deadlocks'),
      line('connections', drain.connections, 'connections'),
    ];
  },
};

async function watched(run, work) {
  const watch = new ServerWatch(run);
  await watch.begin();
  const value = await work();
  return { value, ...(await watch.end()) };
}

async function trickleOf(run, workers, seconds, lags) {
  for (const worker of workers) await worker.call('take');
  const end = wallNow() + seconds * 1_000;
  while (wallNow() < end) {
    await run.client.call('createNow');
    await delay(100);
  }
  await delay(500);
  for (const worker of workers) {
    const { noted } = await worker.call('take');
    lags.push(...noted.map(({ at, since }) => at - since));
  }
}

// Measurements that several suites take.
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from './figures.mjs';

const patienceMs = 180_000;

export async function until(what, isDone, { everyMs = 20, withinMs = patienceMs } = {}) {
  const end = performance.now() + withinMs;
  while (!(await isDone())) {
    if (performance.now() > end) throw new Error(`${what} took longer than ${withinMs / 1_000} s`);
    await delay(everyMs);
  }
}

/** Has the crons made where the system keeps them: in the tables, or in each worker. */
export async function makeCrons(run, workers, count, pace) {
  const makers = run.about.cronsIn === 'worker' ? workers : [run.client];
  for (const maker of makers) await maker.call('crons', count, pace);
}

/** Ready jobs per second, from the first start to the moment when none is left. The processes are open, but do not work yet. */
export async function drainRate(run, jobs, workers) {
  await Promise.all(workers.map((worker) => worker.call('work')));
  const rate = await startRate(run, jobs, workers);
  let ended = NaN;
  await until(
    'Settling',
    async () => {
      ended = performance.timeOrigin + performance.now();
      return (await run.client.call('remaining')) === 0;
    },
    { everyMs: 5 },
  );
  return { settled: (jobs * 1_000) / (ended - rate.first), started: rate.perSecond };
}

/** The same until the last start. */
export async function startRate(run, jobs, workers) {
  let summaries = [];
  await until(`Starting ${jobs} jobs`, async () => {
    summaries = await Promise.all(workers.map((worker) => worker.call('summary')));
    return summaries.reduce((sum, { count }) => sum + count, 0) >= jobs;
  });
  const busy = summaries.filter(({ count }) => count > 0);
  const first = Math.min(...busy.map((summary) => summary.first));
  const last = Math.max(...busy.map((summary) => summary.last));
  return { first, perSecond: (jobs * 1_000) / (last - first) };
}

/** Lags in ms of jobs that are due at once, one after the other, on an idle worker. */
export async function lagsDueNow(run, worker, count) {
  const lags = [];
  await worker.call('take');
  for (let index = 0; index < count; index++) {
    await run.client.call('createNow');
    await until('A job that is due now', async () => (await worker.call('summary')).count > 0, {
      everyMs: 5,
    });
    const { noted } = await worker.call('take');
    lags.push(...noted.map(({ at, since }) => at - since));
    // Not in step with anybody's polling.
    await delay(20 + Math.random() * 60);
  }
  return lags;
}

/** Lags in ms of jobs due at instants in the near future, and how many started early. */
export async function lagsAtInstants(run, worker, count) {
  await worker.call('take');
  const begin = Date.now() + 3_000;
  const dues = Array.from({ length: count }, (_, index) => begin + Math.round((index + Math.random()) * 100));
  for (const at of dues) await run.client.call('create', [{ at, data: { since: at } }]);
  await until('Jobs due at instants', async () => (await worker.call('summary')).count >= count, {
    everyMs: 100,
  });
  const { noted } = await worker.call('take');
  return { lags: noted.map(({ at, since }) => at - since), early: noted.filter(({ early }) => early).length };
}

/** The usual pair of a list of lags. */
export function quantilesOf(lags, prefix = '') {
  return [
    { measure: `${prefix}p50`, value: quantile(lags, 0.5), unit: 'ms', better: 'less' },
    { measure: `${prefix}p99`, value: quantile(lags, 0.99), unit: 'ms', better: 'less' },
  ];
}

/** With a worker of its own each time, so that the jobs are all ready before the first starts. */
export async function drainAndLag(run, jobs) {
  await run.client.call('fill', jobs);
  await run.tidy();
  const worker = await run.start('worker');
  await worker.call('work');
  const { perSecond } = await startRate(run, jobs, [worker]);
  const lag = quantile(await lagsDueNow(run, worker, 30), 0.5);
  await worker.stop();
  return { rate: perSecond, lag };
}

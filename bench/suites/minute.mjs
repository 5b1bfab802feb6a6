import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../figures.mjs';
import { makeCrons } from '../measures.mjs';
import { wallNow } from '../starts.mjs';

const minuteMs = 60_000;
/** For the workers to settle down before the minute. */
const calmMs = 10_000;
const watchMs = 45_000;

export const suite = {
  about:
    'Cron jobs `* * * * *` that are all due at the same minute: milliseconds from the minute to the start of each handler. Watched for 45 s, or until all have started and one second more. No warm-up: the first minute that begins at least 10 s after the workers did.',
  mode: 'crons',
  rounds: 3,
  quickRounds: 1,
  settings: ({ quick }) =>
    (quick
      ? [[1_000, 1]]
      : [
          [1_000, 1],
          [1_000, 3],
          [10_000, 1],
          [10_000, 3],
        ]
    ).map(([jobs, workers]) => ({
      name: `${jobs} crons, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
      skips: [`minute, ${workers} workers`],
      jobs,
      workers,
    })),

  async run(run, { jobs, workers: count }) {
    const workers = [];
    for (let index = 0; index < count; index++) workers.push(await run.start('worker'));
    await makeCrons(run, workers, jobs, 'minute');
    for (const worker of workers) await worker.call('work');
    const minute = Math.ceil((wallNow() + calmMs) / minuteMs) * minuteMs;
    await delay(minute - 5_000 - wallNow());
    for (const worker of workers) await worker.call('take');
    await started(workers, jobs, minute + watchMs);
    const noted = (await Promise.all(workers.map((worker) => worker.call('take')))).flatMap(
      (taken) => taken.noted,
    );
    return figures(noted, jobs, minute);
  },
};

async function started(workers, jobs, end) {
  for (let seen = 0; seen < jobs && wallNow() < end;) {
    await delay(200);
    const summaries = await Promise.all(workers.map((worker) => worker.call('summary')));
    seen = summaries.reduce((sum, summary) => sum + summary.count, 0);
  }
  await delay(1_000);
}

function figures(noted, jobs, minute) {
  const lags = noted.map(({ at }) => at - minute);
  const distinct = new Set(noted.map(({ key }) => key)).size;
  const line = (measure, value, unit, better) => ({ measure, value, unit, better });
  return [
    line('p50', quantile(lags, 0.5), 'ms', 'less'),
    line('last', lags.length < jobs ? Infinity : Math.max(...lags), 'ms', 'less'),
    line('early', lags.filter((lag) => lag < 0).length, 'starts', null),
    line('not started in 45 s', jobs - distinct, 'jobs', null),
    line('started twice', noted.length - distinct, 'starts', null),
  ];
}

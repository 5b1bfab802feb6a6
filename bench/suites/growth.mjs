import { drainAndLag } from '../measures.mjs';

const year = 365 * 86_400_000;

export const suite = {
  about:
    'The same drain (to the last start) and the same lag of jobs due now, before and after the tables have grown: far one-offs, yearly schedules and the record of finished jobs; or ready jobs, older than all others, whose handler nobody has. The growth is the second by the first, within one run. Warm-up: the first drain.',
  mode: 'throughput',
  rounds: 3,
  quickRounds: 1,
  settings: ({ quick }) => [
    quick
      ? {
          name: '100000 future, 1000 yearly, 10000 finished',
          future: 100_000,
          yearly: 1_000,
          finished: 10_000,
          jobs: 10_000,
        }
      : {
          name: '1000000 future, 10000 yearly, 50000 finished',
          future: 1_000_000,
          yearly: 10_000,
          finished: 50_000,
          jobs: 10_000,
        },
    { name: '10000 at the head that nobody can run', stranded: 10_000, jobs: 10_000 },
  ],

  async run(run, { future = 0, yearly = 0, finished = 0, stranded = 0, jobs }) {
    const share = run.about.slow ? 10 : 1;
    const { client } = run;
    await drainAndLag(run, jobs / share);
    const empty = await drainAndLag(run, jobs / share);
    if (finished > 0) await drainAndLag(run, finished / share);
    if (future > 0) await client.call('fill', future / share, { at: Date.now() + year });
    // Those whose schedules are not in the tables have nothing to grow by them.
    if (yearly > 0) await client.call('crons', yearly / share, 'year');
    if (stranded > 0) await client.call('fill', stranded / share, { name: 'nobody' });
    const full = await drainAndLag(run, jobs / share);
    const line = (measure, value, unit, better) => ({ measure, value, unit, better });
    return [
      line('drain before', empty.rate, 'jobs/s', 'more'),
      line('drain after', full.rate, 'jobs/s', 'more'),
      line('drain, times slower', empty.rate / full.rate, '×', 'less'),
      line('lag before', empty.lag, 'ms, p50', 'less'),
      line('lag after', full.lag, 'ms, p50', 'less'),
      line('lag, times longer', full.lag / empty.lag, '×', 'less'),
    ];
  },
};

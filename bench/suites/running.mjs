import { drainAndLag, until } from '../measures.mjs';

/** Of a worker under `throughput`. */
const perWorker = 1_000;

export const suite = {
  about:
    'The same drain (to the last start) and the same lag of jobs due now, before and while other workers have very many runs that go on and on, known as such since their last renewal. Warm-up: the first drain.',
  mode: 'throughput',
  rounds: 3,
  quickRounds: 1,
  onlyOurs: true,
  settings: ({ quick }) => [
    { name: `${quick ? 2_000 : 10_000} runs that go on`, running: quick ? 2_000 : 10_000, jobs: 10_000 },
  ],

  async run(run, { running, jobs }) {
    await drainAndLag(run, jobs);
    const alone = await drainAndLag(run, jobs);
    await run.client.call('fill', running, { name: 'endless' });
    const holder = await run.start('worker', running / perWorker);
    await holder.call('work');
    await until(
      'The renewal of leases',
      async () => {
        const [{ known }] = await run.sql('select count(parked_by)::int as known from chronis.run');
        return known === running;
      },
      { everyMs: 500 },
    );
    const beside = await drainAndLag(run, jobs);
    const line = (measure, value, unit, better) => ({ measure, value, unit, better });
    return [
      line('drain alone', alone.rate, 'jobs/s', 'more'),
      line('drain beside them', beside.rate, 'jobs/s', 'more'),
      line('drain, times slower', alone.rate / beside.rate, '×', 'less'),
      line('lag alone', alone.lag, 'ms, p50', 'less'),
      line('lag beside them', beside.lag, 'ms, p50', 'less'),
      line('lag, times longer', beside.lag / alone.lag, '×', 'less'),
    ];
  },
};

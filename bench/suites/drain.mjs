import { drainRate } from '../measures.mjs';

const processes = [1, 2, 4];

export const suite = {
  about:
    'Ready jobs that do nothing, created before the workers start to work; jobs per second from the first start until none is left in the tables. No warm-up: each run has new processes and a new database, vacuumed and checkpointed after filling.',
  mode: 'throughput',
  rounds: 5,
  quickRounds: 3,
  settings: ({ quick }) =>
    processes.map((count) => ({
      name: `${count} ${count === 1 ? 'process' : 'processes'}`,
      processes: count,
      skips: count === 1 ? [] : ['several processes'],
      jobs: quick ? 5_000 : 50_000,
    })),

  /** The slow ones get a tenth of the jobs: their rate does not depend on it, and the run ends. */
  async run(run, { processes, jobs }) {
    const count = run.about.slow ? jobs / 10 : jobs;
    await run.client.call('fill', count);
    await run.tidy();
    const workers = [];
    for (let index = 0; index < processes; index++) workers.push(await run.start('worker'));
    const { settled } = await drainRate(run, count, workers);
    return [{ measure: `${jobs} jobs`, value: settled, unit: 'jobs/s', better: 'more' }];
  },
};

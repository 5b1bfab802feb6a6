const callers = [10, 100];

export const suite = {
  about:
    'Creating ready jobs while nobody works: by one call per job with several callers at a time in one process, and in bulk. Warm-up: 200 jobs.',
  mode: 'throughput',
  rounds: 5,
  quickRounds: 3,
  settings: ({ quick }) => [
    { name: 'singly', singly: quick ? 2_000 : 10_000 },
    { name: 'in bulk', bulk: quick ? 5_000 : 50_000 },
  ],

  async run(run, { singly, bulk }) {
    const { client } = run;
    const rate = (measure, jobs, seconds) => ({
      measure,
      value: jobs / seconds,
      unit: 'jobs/s',
      better: 'more',
    });
    await client.call('createSingly', 200, 10);
    if (bulk) {
      const jobs = run.about.slow ? bulk / 10 : bulk;
      return [rate(`${bulk} jobs`, jobs, await client.call('createBulk', jobs))];
    }
    const found = [];
    for (const count of callers) {
      found.push(rate(`${count} callers`, singly, await client.call('createSingly', singly, count)));
    }
    return found;
  },
};

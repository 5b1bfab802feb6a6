import { lagsAtInstants, lagsDueNow, quantilesOf } from '../measures.mjs';

export const suite = {
  about:
    'An idle worker, and another process that creates jobs. Due now: milliseconds from before the creating call to the start of the handler, one job after the other. At an instant: from that instant, by the clock of this machine. Warm-up: 10 jobs due now.',
  mode: 'latency',
  rounds: 5,
  quickRounds: 1,
  settings: ({ quick }) => [{ name: 'idle worker', jobs: quick ? 60 : 300 }],

  async run(run, { jobs }) {
    const worker = await run.start('worker');
    await worker.call('work');
    await lagsDueNow(run, worker, 10);
    const now = await lagsDueNow(run, worker, jobs);
    const { lags, early } = await lagsAtInstants(run, worker, jobs / 2);
    return [
      ...quantilesOf(now, 'due now, '),
      ...quantilesOf(lags, 'at an instant, '),
      { measure: 'at an instant, started early', value: early, unit: 'jobs', better: null },
    ];
  },
};

import { counter } from '../counter.mjs';

export const about = {
  name: 'graphile-worker',
  package: 'graphile-worker',
  keeps: 'nothing',
  minNode: 22,
  setting:
    'throughput, crons: 24 jobs at a time, local queue of 500, completions batched without delay · otherwise concurrency 10',
  cronsIn: 'worker',
  cannot: { recurring: 'its crontab knows minutes, not seconds', flow: 'it knows no steps that wait for others' },
};

const quiet = () => () => undefined;

export async function open({ url, mode }) {
  const { Logger, makeWorkerUtils, parseCronItems, run } = await import('graphile-worker');
  const logger = new Logger(quiet);
  const utils = await makeWorkerUtils({ connectionString: url, logger, maxPoolSize: 10 });
  await utils.migrate();
  const left = counter(url, 'select exists (select from graphile_worker._private_jobs)::int');
  let runner = null;
  let crons = [];

  const spec = ({ name = 'noop', at, data = {} }) => ({
    identifier: name,
    payload: data,
    ...(at === undefined ? {} : { runAt: new Date(at) }),
  });
  const fast = {
    concurrentJobs: 24,
    maxPoolSize: 10,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
  };
  const usual = { concurrentJobs: 10, maxPoolSize: 12 };

  return {
    create: (jobs) => utils.addJobs(jobs.map(spec)).then(() => undefined),
    createOne: (job) => {
      const { identifier, payload, ...rest } = spec(job);
      return utils.addJob(identifier, payload, rest).then(() => undefined);
    },
    // Its crontab lives in the workers: each of them is given it before it works.
    async crons(count, pace) {
      const match = pace === 'year' ? '0 0 1 1 *' : '* * * * *';
      crons = Array.from({ length: count }, (_, key) => ({
        task: 'recurring',
        match,
        identifier: `${pace}-${key}`,
        payload: { key },
      }));
    },
    async work(note) {
      runner = await run({
        preset: { worker: { connectionString: url, logger, ...(mode === 'latency' ? usual : fast) } },
        taskList: {
          noop: (data) => note(data),
          recurring: ({ key, _cron }) => note({ key, since: Date.parse(_cron.ts) }),
        },
        parsedCronItems: parseCronItems(crons),
        noHandleSignals: true,
      });
    },
    remaining: left.read,
    async close() {
      await runner?.stop();
      await left.close();
      await utils.release();
    },
  };
}

import { counter } from '../counter.mjs';

export const about = {
  name: 'sidequest',
  package: 'sidequest',
  keeps: 'completed jobs for its 30 days',
  minNode: 22,
  setting: 'in the process, inline runner, 100 jobs at a time, polling each 10 ms',
  slow: true,
  cannot: {
    flow: 'it knows no steps that wait for others',
    recurring: 'its schedules are timers of the process that made them',
    minute: 'its schedules are timers of the process that made them',
    growth: 'it has no schedules on record to fill the table with',
  },
};

export async function open({ url, role }) {
  const { Sidequest } = await import('sidequest');
  const { handlers, NoopJob, OtherJob } = await import('./sidequest.jobs.mjs');
  const settings = {
    backend: {
      driver: '@sidequest/postgres-backend',
      config: { connection: url, pool: { min: 2, max: 20 } },
    },
    queues: [{ name: 'default', concurrency: 100 }],
    maxConcurrentJobs: 100,
    fork: false,
    runner: 'inline',
    gracefulShutdown: false,
    jobPollingInterval: 10,
    dashboard: { enabled: false },
    logger: { level: 'error' },
  };
  if (role === 'client') await Sidequest.configure(settings);
  const left = counter(
    url,
    `select exists (select from sidequest_jobs where state in ('waiting', 'claimed', 'running') and class = 'NoopJob')::int`,
  );
  const createOne = ({ name = 'noop', at, data = {} }) => {
    const builder = Sidequest.build(name === 'noop' ? NoopJob : OtherJob);
    if (at !== undefined) builder.availableAt(new Date(at));
    return builder.enqueue(data).then(() => undefined);
  };
  return {
    createOne,
    async create(jobs) {
      for (let start = 0; start < jobs.length; start += 50) {
        await Promise.all(jobs.slice(start, start + 50).map(createOne));
      }
    },
    async work(note) {
      handlers.note = note;
      await Sidequest.start(settings);
    },
    remaining: left.read,
    async close() {
      await left.close();
      await Sidequest.stop();
    },
  };
}

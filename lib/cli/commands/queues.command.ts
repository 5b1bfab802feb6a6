import { command, type CliCommand } from '../cli.command.js';
import { liveWorkers } from '../live.workers.js';
import type { Session } from '../session.js';
import type { Column } from '../text.table.js';

interface Queue {
  queue: string;
  /** Live ones that take its runs. */
  workers: number;
  jobs: number;
  /** Why it is paused; null: it is not. */
  paused: { reason: string | null; by: string | null; at: Date } | null;
}

const listQueues = command({
  name: 'queues',
  summary: 'queues that workers serve, that are paused, or that wait for a worker',
  options: {},
  run: async ({ out, open }) => {
    const queues = await queuesOf(await open());
    const columns: Column<Queue>[] = [
      { title: 'QUEUE', of: ({ queue }) => queue },
      { title: 'JOBS', of: ({ jobs }) => String(jobs), right: true },
      {
        title: 'WORKERS',
        of: ({ workers }) => String(workers),
        right: true,
        paint: (cell, { workers, jobs }) => out.paint(cell, workers === 0 && jobs > 0 ? 'red' : null),
      },
      {
        title: 'PAUSED',
        of: ({ paused }) =>
          paused === null ? '' : [paused.by, paused.reason].filter((each) => each).join(': ') || 'yes',
        paint: (cell) => out.paint(cell, 'yellow'),
      },
    ];
    out.print({ queues }, (paper) => paper.table(columns, queues, 'There are no queues.'));
  },
});

/** The names are those of live workers, of pauses, and of the thousand runs that were stored last: what else has jobs is known by these alone. */
async function queuesOf(session: Session): Promise<Queue[]> {
  const { scheduler } = session;
  const [live, pauses, runs, jobs] = await Promise.all([
    liveWorkers(session),
    scheduler.getPauses(),
    scheduler.getRuns({ limit: 1_000 }),
    scheduler.queryJobs({ limit: 1_000 }),
  ]);
  const paused = new Map(
    pauses.flatMap(({ scope, ...pause }) => ('queue' in scope ? [[scope.queue, pause] as const] : [])),
  );
  const names = new Set([
    ...live.flatMap(({ queues }) => queues),
    ...paused.keys(),
    ...[...runs.items, ...jobs.items].map(({ queue }) => queue),
  ]);
  const queues: Queue[] = [];
  for (const queue of [...names].toSorted()) {
    queues.push({
      queue,
      workers: live.filter((worker) => worker.queues.includes(queue)).length,
      jobs: await scheduler.countJobs({ queue }),
      paused: paused.get(queue) ?? null,
    });
  }
  return queues;
}

export const queueCommands: CliCommand[] = [listQueues];

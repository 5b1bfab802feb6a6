import type { WorkerInfo } from '../../index.js';
import { command, type CliCommand } from '../cli.command.js';
import { flag, text } from '../cli.option.js';
import { instant } from '../cli.words.js';
import { liveWorkers } from '../live.workers.js';
import type { Column } from '../text.table.js';

/** Of what a worker tells; it may not have yet. */
const milliseconds = (ms: number | undefined): string => (ms === undefined ? '–' : `${Math.round(ms)} ms`);

const listWorkers = command({
  name: 'workers',
  summary: 'processes that run jobs',
  options: {
    all: flag('--all', 'also those that are gone'),
    app: text('--app <name>', 'of this app', { default: 'all' }),
  },
  run: async ({ values: { all, app }, out, open }) => {
    const session = await open();
    const now = await session.now();
    const found = all ? await session.workers() : await liveWorkers(session);
    const workers = found
      .filter((worker) => app === undefined || worker.app === app)
      .toSorted((one, other) => other.leaseUntil.getTime() - one.leaseUntil.getTime())
      .map((worker) => ({ ...worker, live: worker.leaseUntil > now }));
    const columns: Column<WorkerInfo & { live: boolean }>[] = [
      { title: 'NAME', of: ({ name }) => name },
      { title: 'APP', of: (worker) => worker.app },
      {
        title: 'STATE',
        of: ({ live }) => (live ? 'live' : 'gone'),
        paint: (cell, { live }) => out.paint(cell, live ? 'green' : 'dim'),
      },
      {
        title: 'RUNNING',
        of: ({ running, slots }) => (slots === null ? String(running) : `${running}/${slots}`),
        right: true,
      },
      { title: 'CLOCK', of: ({ condition }) => milliseconds(condition?.clockOffsetMs), right: true },
      { title: 'LOOP LAG', of: ({ condition }) => milliseconds(condition?.loopLagMs), right: true },
      { title: 'LEASE UNTIL', of: ({ leaseUntil }) => instant(leaseUntil) },
      { title: 'QUEUES', of: ({ queues }) => queues.join(',') },
      { title: 'HOST', of: ({ host, pid }) => `${host}:${pid}` },
      { title: 'VERSION', of: ({ version }) => version },
      { title: 'STARTED', of: ({ startedAt }) => instant(startedAt) },
    ];
    out.print({ workers, now }, (paper) => paper.table(columns, workers, 'No process runs jobs.'));
  },
});

export const workerCommands: CliCommand[] = [listWorkers];

import { hostname } from 'node:os';
import { command, type CliCommand } from '../cli.command.js';
import { flag, text } from '../cli.option.js';
import { exitCodes } from '../exit.codes.js';
import { liveWorkers } from '../live.workers.js';

const checkHealth = command({
  name: 'health',
  summary: 'whether the storage answers and a process runs jobs: 0, else 2; 1 where it cannot be asked',
  options: {
    app: text('--app <name>', 'processes of this app', { variable: 'CHRONIS_APP', default: 'all' }),
    here: flag('--here', 'only processes of this machine, or container, count'),
  },
  run: async ({ values: { app, here }, out, open }) => {
    const session = await open();
    const { problems, warnings, storage, state } = await session.scheduler.health();
    const live = await liveWorkers(session);
    const workers = live
      .filter((worker) => app === undefined || worker.app === app)
      .filter(({ host }) => !here || host === hostname())
      .map(({ name, host, pid, leaseUntil, running }) => ({ name, host, pid, leaseUntil, running }));
    const where = `${here ? ` on ${hostname()}` : ''}${app === undefined ? '' : ` of the app "${app}"`}`;
    const found = [
      ...problems,
      ...(workers.length === 0 ? [`No process${where} runs jobs.`] : []),
      ...(state === 'draining' ? ['The service is about to end.'] : []),
    ];
    const healthy = found.length === 0;
    out.print({ healthy, problems: found, warnings, storage, workers }, (paper) => {
      paper.line(healthy ? `healthy\t${workers.length} running` : 'not healthy');
      for (const sentence of found) paper.line(`  ${sentence}`);
      for (const sentence of warnings) paper.line(`  ${sentence}`);
    });
    return healthy ? exitCodes.fine : exitCodes.found;
  },
});

export const healthCommands: CliCommand[] = [checkHealth];

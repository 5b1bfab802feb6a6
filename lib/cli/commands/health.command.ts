import { hostname } from 'node:os';
import type { SchedulerHealth, WorkerInfo } from '../../index.js';
import { command, type CliCommand } from '../cli.command.js';
import { FailedError, UsageError } from '../cli.errors.js';
import { flag, text, whole } from '../cli.option.js';
import { exitCodes } from '../exit.codes.js';
import { liveWorkers } from '../live.workers.js';
import type { Session } from '../session.js';

const usualSeconds = 8;
const mostSeconds = 600;

const checkHealth = command({
  name: 'health',
  summary: 'whether the storage answers and jobs are run: 0, else 2; 1 where nobody answers',
  options: {
    live: flag('--live', 'only whether the service answers, however its storage is'),
    ready: flag('--ready', 'only whether the service should get work: it works, and its storage answers'),
    app: text('--app <name>', 'processes of this app', { variable: 'CHRONIS_APP', default: 'all' }),
    here: flag('--here', 'only processes of this machine, or container, count'),
    timeout: whole('--timeout <seconds>', 'how long to wait for an answer', {
      least: 1,
      most: mostSeconds,
      absent: usualSeconds,
    }),
  },
  examples: ['chronis health --socket /run/chronis/service.sock', 'chronis health --app shop'],
  run: async ({ values: { live, ready, app, here, timeout }, out, open }) => {
    if (live && ready) throw new UsageError('--live and --ready are two questions: ask one at a time.');
    const session = await within(timeout, open(live || ready ? 'service' : 'any'));
    const health = await within(timeout, session.scheduler.health());
    if (live) {
      out.print({ live: true, state: health.state }, (paper) => paper.line(`live\t${health.state}`));
      return exitCodes.fine;
    }
    if (ready) {
      const { state, storage } = health;
      const isReady = state === 'working' && storage.answers;
      out.print({ ready: isReady, state, answers: storage.answers }, (paper) =>
        paper.line(
          `${isReady ? 'ready' : 'not ready'}\t${state}${storage.answers ? '' : ', the storage does not answer'}`,
        ),
      );
      return isReady ? exitCodes.fine : exitCodes.found;
    }
    // What does not answer the one question is not asked another.
    const known = health.storage.answers ? await within(timeout, liveWorkers(session)) : [];
    const workers = known
      .filter((worker) => app === undefined || worker.app === app)
      .filter(({ host }) => !here || host === hostname());
    const problems = [...health.problems, ...lacks(session, health, workers, placeOf(here, app))];
    const healthy = problems.length === 0;
    const shown = workers.map(({ name, host, pid, leaseUntil, running }) => ({
      name,
      host,
      pid,
      leaseUntil,
      running,
    }));
    const { warnings, storage } = health;
    out.print({ healthy, problems, warnings, storage, workers: shown }, (paper) => {
      paper.line(healthy ? `healthy\t${workers.length} running` : 'not healthy');
      for (const sentence of [...problems, ...warnings]) paper.line(`  ${sentence}`);
    });
    return healthy ? exitCodes.fine : exitCodes.found;
  },
});

/** A service knows by itself whether it runs jobs; where a storage is asked, some process has to. */
function lacks(
  { isService }: Session,
  { state, storage }: SchedulerHealth,
  workers: readonly WorkerInfo[],
  place: string,
): string[] {
  if (isService && state !== 'working') return [`The service is ${state}, and not working.`];
  return workers.length === 0 && storage.answers ? [`No process${place} runs jobs.`] : [];
}

function placeOf(here: boolean, app: string | undefined): string {
  return `${here ? ` on ${hostname()}` : ''}${app === undefined ? '' : ` of the app "${app}"`}`;
}

/** Throws FailedError: a process that hangs says nothing. */
async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const tell = (): void => reject(new FailedError(`Nothing has answered within ${seconds} s.`));
    timer = setTimeout(tell, seconds * 1_000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export const healthCommands: CliCommand[] = [checkHealth];

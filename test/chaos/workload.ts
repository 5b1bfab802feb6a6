import { setTimeout as pause } from 'node:timers/promises';
import { Cron, Interval, type JobOptions, type JsonObject, type RunContext } from '../../lib/index.js';
import type { Effects } from './effects.js';
import type { Executions } from './executions.js';
import { manners, type WorkerOptions } from './chaos.options.js';

/** How the handler of a job behaves before it leaves its effect. */
type Conduct = 'quick' | 'slow' | 'long' | 'flaky' | 'overtime' | 'blocking' | 'large';

interface Declaration extends JobOptions {
  id: string;
  everyMs: number;
  conduct: Conduct;
}

/** What all workers declare. Overlap `allow`: also a run that takes long keeps no instant from becoming one; the default: gaps are on record where it does. What nobody could fire is caught up by one run. */
function declarations(release: number): Declaration[] {
  return [
    ...manners.flatMap((manner): Declaration[] => [
      { id: `${manner}-quick`, everyMs: 1_000, conduct: 'quick', overlap: 'allow' },
      { id: `${manner}-skip`, everyMs: 1_000, conduct: 'slow' },
      { id: `${manner}-slow`, everyMs: 2_000, conduct: 'slow', overlap: 'allow' },
      {
        id: `${manner}-flaky`,
        everyMs: 1_000,
        conduct: 'flaky',
        overlap: 'allow',
        maxRetries: 20,
        backoff: 100,
      },
      {
        id: `${manner}-overtime`,
        everyMs: 1_000,
        conduct: 'overtime',
        overlap: 'allow',
        timeout: 400,
        maxRetries: 20,
        backoff: 50,
      },
      // A deploy changes this one's pace, and what follows comes and goes.
      { id: `${manner}-changing`, everyMs: release % 2 === 0 ? 2_000 : 1_000, conduct: 'quick' },
      { id: `${manner}-release-${release}`, everyMs: 1_000, conduct: 'quick' },
    ]),
    // Longer than a worker has to shut down: given back to be executed elsewhere.
    { id: 'plain-long', everyMs: 2_000, conduct: 'long', overlap: 'allow' },
    { id: 'transaction-long', everyMs: 2_000, conduct: 'long', overlap: 'allow' },
    // Nothing of this process turns meanwhile, for longer than its lease.
    { id: 'unique-blocking', everyMs: 8_000, conduct: 'blocking' },
    { id: 'plain-large', everyMs: 1_000, conduct: 'large', overlap: 'allow' },
    // Neither a kill nor a shutdown may have it executed again.
    { id: 'plain-abandon-long', everyMs: 2_000, conduct: 'long', overlap: 'allow', recovery: 'abandon' },
    { id: 'plain-abandon', everyMs: 1_000, conduct: 'slow', overlap: 'allow', recovery: 'abandon' },
  ];
}

/** A provider class with these jobs on its one method. */
export function jobsOf(options: WorkerOptions, effects: Effects, executions: Executions): new () => object {
  class ChaosJobs {
    work(context: RunContext): Promise<unknown> {
      return executions.around(context, async () => {
        const result = await behave(context, options);
        await effects.leave(context);
        return result;
      });
    }
  }
  const method = Object.getOwnPropertyDescriptor(ChaosJobs.prototype, 'work')!;
  const limits = { startAt: options.startAt, endAt: options.endAt, maxLost: 1_000 };
  for (const { everyMs, conduct, ...policies } of declarations(options.release)) {
    const metadata: JsonObject = { conduct, everyMs };
    Interval(everyMs, { ...policies, ...limits, metadata })(ChaosJobs.prototype, 'work', method);
  }
  const cron = {
    id: 'plain-cron',
    overlap: 'allow',
    metadata: { conduct: 'quick', everyMs: 1_000 },
  } as const;
  Cron('* * * * * *', { ...cron, ...limits })(ChaosJobs.prototype, 'work', method);
  return ChaosJobs;
}

/** Chance decides by run and attempt, so that it does not depend on who executes it. */
async function behave(
  { runId, attempt, job, signal }: RunContext,
  { leaseMs }: WorkerOptions,
): Promise<string | void> {
  const draw = (Number(runId) * 31 + attempt * 17) % 10;
  switch ((job.metadata.conduct ?? 'quick') as Conduct) {
    case 'quick':
      return pause(draw * 5);
    case 'slow':
      await pause(500 + draw * 150);
      return signal.throwIfAborted();
    case 'long':
      await pause(3_000 + draw * 200, undefined, { signal });
      return;
    case 'blocking':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, attempt === 1 ? leaseMs * 1.3 : 0);
      return;
    case 'large':
      await pause(draw * 5);
      return 'x'.repeat(40_000);
    case 'flaky':
      await pause(draw * 10);
      if (draw < 4) throw new Error('Fails now and then.');
      return;
    case 'overtime':
      await pause(draw < 3 ? 700 : 50);
      return signal.throwIfAborted();
  }
}

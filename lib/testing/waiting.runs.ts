import type { Run } from '../index.js';
import type { ManualClock } from './manual.clock.js';
import { ChronisTestingError } from './testing.errors.js';

/** Whether the run has no verdict yet. */
export function isOpen({ state }: Run): boolean {
  return ['waiting', 'blocked', 'running', 'open', 'paused'].includes(state);
}

/** To when time must pass so that one of the open runs goes on. Throws ChronisTestingError when that would not help. */
export function dueAfter(open: readonly Run[], clock: ManualClock): number {
  const now = clock.now();
  const left = open.find(({ state }) => state === 'open');
  if (left)
    throw new ChronisTestingError(
      `The run ${left.id} of the job "${left.jobId}" is open: its verdict comes from outside. Begin it by scheduler.runNow() and runDue(), end it by scheduler.complete() or fail(), or let its deadline pass by advanceBy().`,
    );
  const due = open.flatMap(({ dueAt }) =>
    dueAt === null || dueAt.getTime() <= now ? [] : [dueAt.getTime()],
  );
  // What still runs waits for its timeout.
  const timer = clock.nextTimerInMs;
  if (timer !== null && open.some(({ state }) => state === 'running')) due.push(now + timer);
  if (due.length > 0) return Math.min(...due);
  const [run] = open as [Run];
  const why =
    run.state === 'waiting' && run.dueAt === null
      ? `waits for a signal: send it by scheduler.signal('${run.id}', …) and let runDue() execute it; getRunSteps() tells which.`
      : run.state === 'waiting'
        ? `is due, but nobody executes it: is a scope of it paused, its queue ("${run.queue}") among the module's queues, its handler ("${run.handler}") registered, and the scheduler started?`
        : `is ${run.state}, and no time will change that.`;
  throw new ChronisTestingError(`The run ${run.id} of the job "${run.jobId}" ${why}`);
}

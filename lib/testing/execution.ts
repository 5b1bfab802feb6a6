import {
  OpenDeadlineError,
  RunAbortedError,
  type ChronisEventMap,
  type ChronisEvents,
  type Outcome,
  type RunEvent,
} from '../index.js';

/** One execution of a run, as it ended. @publicApi */
export interface Execution extends RunEvent {
  outcome: Outcome;
  /** What the handler threw, the very object. */
  error?: unknown;
  /** When the run is executed again; absent: the outcome is its verdict, or it was opened. */
  retryAt?: Date;
}

type Told<N extends keyof ChronisEventMap> = ChronisEventMap[N];

/** In place of a worker, in events of runs that nobody executed. */
const notExecuted = 'outside';

/** Calls the listeners with each execution that begins or ends. */
export function observeExecutions(
  events: ChronisEvents,
  began: (run: RunEvent) => void,
  ended: (run: RunEvent, execution: Execution | null) => void,
): void {
  const endsAs = (outcome: Execution['outcome']) => (event: RunEvent & { error?: unknown }) =>
    ended(event, { ...runOf(event), outcome, ...('error' in event ? { error: event.error } : {}) });
  events.on('run.started', began);
  events.on('run.succeeded', endsAs('succeeded'));
  events.on('run.failed', endsAs('failed'));
  events.on('run.timed_out', endsAs('timed_out'));
  events.on('run.cancelled', (event) => {
    // What nobody executed is no execution.
    if (event.workerId === notExecuted) ended(event, null);
    else endsAs('cancelled')(event);
  });
  events.on('run.lost', endsAs('lost'));
  events.on('run.handed-back', endsAs('handed_back'));
  events.on('run.stale', (event) => ended(event, null));
  events.on('run.snoozed', (event: Told<'run.snoozed'>) =>
    ended(event, {
      ...runOf(event),
      outcome: 'snoozed',
      ...(event.until !== null && { retryAt: event.until }),
    }),
  );
  events.on('run.opened', endsAs('opened'));
  events.on('run.retrying', (event: Told<'run.retrying'>) => {
    const { error, retryAt } = event;
    ended(event, { ...runOf(event), outcome: outcomeOf(error), error, retryAt });
  });
}

/** The event of a retry does not tell a timeout from what was thrown, but its error does. */
function outcomeOf(error: unknown): 'failed' | 'timed_out' {
  const isTimeout = error instanceof RunAbortedError && error.abortCause === 'timeout';
  return isTimeout || error instanceof OpenDeadlineError ? 'timed_out' : 'failed';
}

function runOf(event: RunEvent): RunEvent {
  const { runId, jobId, namespace, handler, queue, origin, nominalAt, attempt, workerId } = event;
  return { runId, jobId, namespace, handler, queue, origin, nominalAt, attempt, workerId };
}

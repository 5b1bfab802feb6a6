import type { ChronisEvents } from '../events/chronis.events.js';
import type { RunEvent } from '../events/event.map.js';
import type { JobRef } from '../model/job.js';
import type { ClaimedRun } from '../model/run.js';
import { mayPauseJob } from '../ports/flows.js';
import type { CancelledRun } from '../ports/run.ends.js';
import { outside } from '../ports/outside.js';
import type { Settlement, StorageAdapter } from '../ports/storage.adapter.js';
import type { Ending } from './attempt.ending.js';
import type { Judgement } from './settlement.js';
import { isOnce } from './unstarted.js';
import type { SettleVerdict } from './waiting.result.js';

/** Who hears of ends beside the events. */
interface Heard {
  /** Called when the end of an attempt is on record. */
  onSettled: (run: ClaimedRun, settlement: Settlement) => void;
  /** Called with the job of a run that has given up, if that may pause the job. */
  onGaveUp: (jobs: readonly JobRef[]) => void;
}

/** Does what is to be done of runs that have ended by what this process has done, and that no worker tells of: tells of workflows as of plain runs, looks at their jobs, which may have failed too often, and tells of what was cancelled. */
export function hearRunEnds(
  { runEnds }: StorageAdapter,
  events: ChronisEvents,
  onGaveUp: (jobs: readonly JobRef[]) => void,
): void {
  const teller = new RunTeller(outside, events, { onSettled: () => undefined, onGaveUp });
  runEnds?.onRunEnd((end) => {
    if ('cancelled' in end) return tellCancelled(end.cancelled, events);
    const { run, settlement, isTold } = end;
    if (isTold) return teller.lookAtJob(run, settlement);
    teller.tell(run, { settlement, error: errorOf(settlement), ruleFailures: [] });
  });
}

/** Tells how the runs of a worker have ended, and counts them. */
export class RunTeller {
  /** Attempts that have ended. */
  finished = 0;
  handedBack = 0;

  constructor(
    private readonly workerId: string,
    private readonly events: ChronisEvents,
    private readonly heard: Heard,
  ) {}

  /** The verdict stands, whatever the handler did after it. */
  tellCommitted(run: ClaimedRun, settlement: Settlement, ending: Ending): void {
    this.tell(run, { settlement, error: null, ruleFailures: [] });
    if (ending.kind === 'threw') {
      this.events.emit('run.threw-after-commit', { ...this.eventOf(run), error: ending.error });
    }
  }

  /** The verdict that is on record. */
  tell(run: ClaimedRun, { settlement, error, ruleFailures }: Judgement): void {
    const { events } = this;
    const { outcome, retryAt } = settlement;
    const failure = { error, ...(settlement.fingerprint && { fingerprint: settlement.fingerprint }) };
    for (const failure of ruleFailures) {
      events.emit('retry-rule.failed', { ...this.eventOf(run), ...failure });
    }
    this.heard.onSettled(run, settlement);
    if (outcome === 'snoozed') {
      const until = retryAt === Infinity ? null : new Date(retryAt!);
      return events.emit('run.snoozed', { ...this.endOf(run, settlement), until });
    }
    if (outcome === 'opened') {
      const deadline = retryAt === null ? null : new Date(retryAt);
      return events.emit('run.opened', { ...this.endOf(run, settlement), deadline });
    }
    this.finished++;
    if (retryAt !== null) {
      const event = this.endOf(run, settlement);
      return events.emit('run.retrying', { ...event, ...failure, retryAt: new Date(retryAt) });
    }
    this.lookAtJob(run, settlement);
    switch (outcome) {
      case 'succeeded':
        // A success has no error: it says why its result is not there.
        if (settlement.error !== null)
          events.emit('run.result-dropped', { ...this.eventOf(run), reason: settlement.error });
        if (events.hears('run.succeeded')) events.emit('run.succeeded', this.endOf(run, settlement));
        return;
      case 'failed':
        return events.emit('run.failed', { ...this.endOf(run, settlement), ...failure });
      case 'timed_out':
        return events.emit('run.timed_out', { ...this.endOf(run, settlement), ...failure });
      case 'cancelled':
        return events.emit('run.cancelled', { ...this.endOf(run, settlement), hasBegun: true });
      case 'handed_back':
        this.handedBack++;
        this.finished--;
        return events.emit('run.handed-back', this.endOf(run, settlement));
      case 'lost':
        return events.emit('run.lost', this.endOf(run, settlement));
    }
  }

  /** Its job may have failed too often by that. */
  lookAtJob(run: ClaimedRun, { outcome }: Settlement): void {
    if (mayPauseJob(run, outcome)) this.heard.onGaveUp([{ namespace: run.namespace, id: run.jobId }]);
  }

  /** The verdict is not on record by this attempt, or nobody knows whether it is. */
  tellUnwritten(run: ClaimedRun, { outcome }: Settlement, verdict: Exclude<SettleVerdict, 'accepted'>): void {
    if (verdict === 'unclear') return;
    if (verdict === 'refused') return this.events.emit('run.stale', this.eventOf(run));
    const about = { outcome, isUnclear: verdict === 'unconfirmed', executedAgain: !isOnce(run) };
    this.events.emit('run.unsettled', { ...this.eventOf(run), ...about });
  }

  private endOf(run: ClaimedRun, { startedAt, finishedAt }: Settlement): RunEvent & { durationMs: number } {
    return { ...this.eventOf(run), durationMs: finishedAt - startedAt };
  }

  eventOf(run: ClaimedRun): RunEvent {
    return runEvent(run, this.workerId);
  }
}

function tellCancelled(run: CancelledRun, events: ChronisEvents): void {
  const { hasBegun, since, finishedAt } = run;
  const durationMs = since === null ? 0 : finishedAt - since;
  events.emit('run.cancelled', { ...runEvent(run, outside), durationMs, hasBegun });
}

export function runEvent(
  run: Omit<CancelledRun, 'hasBegun' | 'since' | 'finishedAt'>,
  workerId: string,
): RunEvent {
  return {
    runId: run.id,
    jobId: run.jobId,
    namespace: run.namespace,
    handler: run.handler,
    queue: run.queue,
    origin: run.origin,
    nominalAt: new Date(run.nominalAt),
    attempt: run.attempt,
    workerId,
  };
}

/** Nobody has thrown what follows from steps, so it has no stack. */
function errorOf({ error }: Settlement): Error | null {
  if (error === null) return null;
  const made = new Error(error);
  delete made.stack;
  return made;
}

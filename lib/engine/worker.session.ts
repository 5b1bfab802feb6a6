import type { ChronisEvents } from '../events/chronis.events.js';
import type { RunEvent } from '../events/event.map.js';
import type { AbortCause } from '../model/errors.js';
import type { JobRef } from '../model/job.js';
import { resolvePolicies } from '../model/policies.js';
import type { RetryRules } from '../model/retry.rules.js';
import type { ClaimedRun } from '../model/run.js';
import { isFailure } from '../model/verdict.js';
import type { Clock } from '../ports/clock.js';
import type { Capability, Settlement, StorageAdapter, Unstarted } from '../ports/storage.adapter.js';
import type { HandlerRegistry } from './handler.registry.js';
import type { RunLogger } from './run.context.js';
import { RunningRun, type Ending } from './running.run.js';
import { judge, type Judgement } from './settlement.js';
import type { Settler } from './settler.js';
import type { StorageTime } from './storage.time.js';
import type { Stragglers } from './stragglers.js';
import { VerdictTransaction } from './verdict.transaction.js';

/** What a session needs of its engine. */
export interface SessionParts {
  storage: StorageAdapter;
  handlers: HandlerRegistry;
  clock: Clock;
  time: StorageTime;
  events: ChronisEvents;
  settler: Settler;
  stragglers: Stragglers;
  logger: (handler: string) => RunLogger;
  random: () => number;
  concurrency: number;
  abortGraceMs: number;
  queues: readonly string[];
  /** Whether the lease is trusted, so that work may begin. */
  trusted: () => boolean;
  /** Called when a handler has ended, so that there is room again. */
  onRoom: () => void;
  /** Called when the end of an attempt is on record. */
  onSettled: (run: ClaimedRun, settlement: Settlement) => void;
  /** Called with the job of a run that has given up, if that may pause the job. */
  onGaveUp: (jobs: readonly JobRef[]) => void;
}

/**
 * What one worker holds, from its registration to the end of its lease: the runs that it executes and those whose
 * results are being written. A lease that was lost ends the session for good; the process goes on with a new one.
 */
export class WorkerSession {
  /** False once it must not begin anything any more. */
  active = true;
  finished = 0;
  handedBack = 0;
  private readonly running = new Map<string, RunningRun>();
  /** All claims (run and fence) that are not settled yet, so that nobody takes them for ones whose answer was lost. */
  private readonly held = new Set<string>();
  private readonly awaitingEmpty: (() => void)[] = [];

  constructor(
    readonly workerId: string,
    private readonly parts: SessionParts,
  ) {}

  get capability(): Capability {
    return { workerId: this.workerId, queues: this.parts.queues, handlers: this.parts.handlers.names() };
  }

  /** How many more runs it may begin. */
  get room(): number {
    return Math.max(this.parts.concurrency - this.running.size, 0);
  }

  get runningCount(): number {
    return this.running.size;
  }

  holds(claim: Unstarted): boolean {
    return this.held.has(claimKey(claim.runId, claim.fence));
  }

  /**
   * Begins what it can; returns what must be given back, since the session is over, the handler is gone, or the answer came so late
   * (the process was frozen) that the lease may have ended.
   */
  begin(runs: readonly ClaimedRun[]): Unstarted[] {
    const refused: Unstarted[] = [];
    for (const run of runs) {
      const may = this.active && this.parts.trusted();
      const handler = may ? this.parts.handlers.get(run.handler) : undefined;
      if (handler) this.execute(run, handler);
      else refused.push({ runId: run.id, fence: run.fence });
    }
    return refused;
  }

  /** Aborts the given runs, or all. */
  abort(cause: AbortCause, runIds: Iterable<string> = this.running.keys()): void {
    for (const runId of runIds) this.running.get(runId)?.abort(cause);
  }

  /** Resolves when no handler is running any more. */
  async empty(): Promise<void> {
    if (this.running.size > 0) await new Promise<void>((resolve) => this.awaitingEmpty.push(resolve));
  }

  private execute(run: ClaimedRun, handler: NonNullable<ReturnType<HandlerRegistry['get']>>): void {
    const { storage, clock, time, events, abortGraceMs, logger, random, stragglers } = this.parts;
    const startedAt = time.now();
    this.held.add(claimKey(run.id, run.fence));
    events.emit('run.started', { ...this.eventOf(run), lagMs: startedAt - run.nominalAt });
    const transaction = new VerdictTransaction(storage, run, (value) => {
      const times = { startedAt, finishedAt: Math.max(time.now(), startedAt) };
      return judge(run, { kind: 'returned', value }, null, times, random)!.settlement;
    });
    const limits = { timeoutMs: resolvePolicies(run.policies).timeoutMs, abortGraceMs };
    const [log, earlier] = [logger(run.handler), stragglers.of(run.id)];
    const running = new RunningRun(run, startedAt, handler, log, clock, transaction, limits, earlier);
    this.running.set(run.id, running);
    void running.ended.then((ending) => this.finish(running, ending, handler.rules));
  }

  private async finish(
    { run, startedAt, abortCause, transaction, handlerEnded }: RunningRun,
    ending: Ending,
    rules: RetryRules,
  ): Promise<void> {
    const { time, random, settler, stragglers } = this.parts;
    if (ending.kind === 'abandoned') stragglers.note(run.id, handlerEnded);
    this.running.delete(run.id);
    if (this.running.size === 0) for (const resolve of this.awaitingEmpty.splice(0)) resolve();
    this.parts.onRoom();
    if (transaction.committed !== null) return this.tellCommitted(run, transaction.committed, ending);
    const finishedAt = Math.max(time.now(), startedAt);
    const judgement = judge(run, ending, abortCause, { startedAt, finishedAt }, random, rules);
    if (judgement === null) return;
    const verdict = await settler.settle(judgement.settlement);
    this.held.delete(claimKey(run.id, run.fence));
    if (verdict === 'accepted') this.tell(run, judgement);
    else if (transaction.committed !== null) this.tellCommitted(run, transaction.committed, ending);
    else if (verdict === 'refused') this.parts.events.emit('run.stale', this.eventOf(run));
  }

  /** The verdict stands, whatever the handler did after it. */
  private tellCommitted(run: ClaimedRun, settlement: Settlement, ending: Ending): void {
    this.held.delete(claimKey(run.id, run.fence));
    this.tell(run, { settlement, error: null, ruleFailures: [] });
    if (ending.kind === 'threw') {
      this.parts.events.emit('run.threw-after-commit', { ...this.eventOf(run), error: ending.error });
    }
  }

  private tell(run: ClaimedRun, { settlement, error, ruleFailures }: Judgement): void {
    const { events } = this.parts;
    const durationMs = settlement.finishedAt - settlement.startedAt;
    const event = { ...this.eventOf(run), durationMs };
    for (const failure of ruleFailures) {
      events.emit('retry-rule.failed', { ...this.eventOf(run), ...failure });
    }
    this.parts.onSettled(run, settlement);
    if (settlement.outcome === 'snoozed') {
      return events.emit('run.snoozed', { ...event, until: new Date(settlement.retryAt!) });
    }
    this.finished++;
    if (settlement.retryAt !== null) {
      events.emit('run.retrying', { ...event, error, retryAt: new Date(settlement.retryAt) });
      return;
    }
    const mayPause = run.jobUid !== null && resolvePolicies(run.policies).pauseAfterFailures !== null;
    if (mayPause && isFailure(settlement.outcome)) {
      this.parts.onGaveUp([{ namespace: run.namespace, id: run.jobId }]);
    }
    switch (settlement.outcome) {
      case 'succeeded':
        return events.emit('run.succeeded', event);
      case 'failed':
        return events.emit('run.failed', { ...event, error });
      case 'timed_out':
        return events.emit('run.timed_out', { ...event, error });
      case 'cancelled':
        return events.emit('run.cancelled', event);
      case 'handed_back':
        this.handedBack++;
        this.finished--;
        return events.emit('run.handed-back', event);
      case 'lost':
        return; // Only a release writes it.
    }
  }

  private eventOf(run: ClaimedRun): RunEvent {
    return {
      runId: run.id,
      jobId: run.jobId,
      namespace: run.namespace,
      handler: run.handler,
      queue: run.queue,
      origin: run.origin,
      nominalAt: new Date(run.nominalAt),
      attempt: run.attempt,
      workerId: this.workerId,
    };
  }
}

// The fence belongs to it: a run may be claimed anew while the result of its last attempt is still being written.
function claimKey(runId: string, fence: number): string {
  return `${runId} ${fence}`;
}

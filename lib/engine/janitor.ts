import type { ChronisEvents } from '../events/chronis.events.js';
import { rowOperations } from '../events/storage.operations.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { LockAdapter } from '../ports/lock.adapter.js';
import type { Deferral, StorageAdapter } from '../ports/storage.adapter.js';
import type { EngineOptions } from './engine.options.js';
import type { Outages } from './outages.js';
import { OverdueWatch } from './overdue.watch.js';
import { ForgottenPauses } from './forgotten.pauses.js';
import { RollupMaker } from './rollup.maker.js';
import { unending } from './unending.js';
import { UnservedQueues } from './unserved.queues.js';

const maxPruneRounds = 20;
/** The record ages by no more than this beyond the time that has passed: in one round a wrong clock deletes at most what would go within the hour anyway. */
const mostLeapMs = 3_600_000;
const maxDeferRounds = 100;
const maxReconcileRounds = 10;
/** The pause before the first round is so many times shorter: those who begin at the same time have registered by then. */
const firstIsShorterBy = 30;

/** What a start has gone on without. */
export interface Owed {
  operation: string;
  work: () => Promise<void>;
}

/**
 * Cleans up, one worker of an app per period: orphans what no live code declares, puts off what no live worker can execute, lifts what
 * is overdue so that nothing starves, counts what the ledger comes to, deletes what is older than it should be kept, tells what nobody fires, and what has been paused for so long that it may have been forgotten. Each step is tried alone; what fails is told and tried again in the next round.
 */
export class Janitor {
  private cancelTimer: CancelTimer | null = null;
  private stopped = false;
  /** Monotonic. */
  private prunedAt: number | null = null;
  private isWithheld = false;
  private owed: readonly Owed[] = [];
  private readonly unserved: UnservedQueues;
  private readonly forgotten: ForgottenPauses;
  private readonly late: OverdueWatch;
  /** null: statistics are not asked for, or the storage keeps none. */
  private readonly maker: RollupMaker | null;

  constructor(
    private readonly storage: StorageAdapter,
    private readonly lock: LockAdapter,
    readonly clock: Clock,
    readonly events: ChronisEvents,
    private readonly outages: Outages,
    private readonly random: () => number,
    private readonly options: Pick<
      EngineOptions,
      'app' | 'queues' | 'janitorMs' | 'orphanGraceMs' | 'retention' | 'statistics' | 'pausedTooLongMs'
    >,
    /** Has the runs of dead workers taken back, those as well that a late claim left when its worker had been released. */
    private readonly checkLeases: () => void,
  ) {
    const { rollups } = storage;
    this.maker = options.statistics && rollups ? new RollupMaker(rollups, options.retention) : null;
    this.unserved = new UnservedQueues(storage, clock, events, options);
    this.late = new OverdueWatch(storage, clock, events);
    this.forgotten = new ForgottenPauses(storage, clock, events, options.pausedTooLongMs);
  }

  /** The first round comes soon: what was stranded while nobody worked would be in the way from the first claim on. `owed`: of this worker, whoever has the janitor's lock. */
  start(owner: string, owed: readonly Owed[]): void {
    this.owed = owed;
    this.schedule(owner, this.options.janitorMs / firstIsShorterBy);
  }

  private schedule(owner: string, longestPauseMs: number): void {
    // Spread, so that the workers of a deploy do not all ask for the lock at the same moment.
    const pauseMs = Math.round(longestPauseMs * (0.5 + this.random() / 2));
    this.cancelTimer = this.clock.setTimer(pauseMs, () => {
      const round = unending(
        'janitor',
        () => this.round(owner),
        () => !this.stopped,
        this,
      );
      void round.then(() => {
        if (!this.stopped) this.schedule(owner, this.options.janitorMs);
      });
    });
  }

  stop(): void {
    this.stopped = true;
    this.cancelTimer?.();
  }

  private async round(owner: string): Promise<void> {
    const stillOwed: Owed[] = [];
    for (const one of this.owed) if (!(await this.step(one.operation, one.work))) stillOwed.push(one);
    this.owed = stillOwed;
    await this.step('janitor', async () => {
      // Not given back: its lease is what keeps the other workers from doing the same work again in this period.
      const leaseMs = this.options.janitorMs / 2;
      const lock = await this.lock.acquire(`chronis:janitor:${this.options.app}`, owner, leaseMs);
      if (lock === null) return;
      this.checkLeases();
      await this.step('orphan', () => this.orphan());
      // First what nobody can execute: it is not overdue then.
      await this.step('defer', () => this.defer());
      await this.step('lift', () => this.lift());
      await this.step('reconcile', () => this.reconcile());
      // Before what is counted is forgotten.
      await this.step('count', () => this.count(owner));
      await this.step('prune', () => this.prune());
      await this.step('look for queues', () => this.unserved.tell());
      await this.step('look for overdue jobs', () => this.late.tell());
      await this.step('look for old pauses', () => this.forgotten.tell());
    });
  }

  private async orphan(): Promise<void> {
    for (const ref of await this.storage.orphanUndeclared(this.options.app, this.options.orphanGraceMs)) {
      this.events.emit('job.orphaned', ref);
    }
  }

  private async defer(): Promise<void> {
    const deferred = new Map<string, Deferral>();
    try {
      for (let round = 0; round < maxDeferRounds && !this.stopped; round++) {
        const deferrals = await this.storage.deferStranded();
        if (deferrals.length === 0) return;
        for (const { runs, ...about } of deferrals) {
          const key = JSON.stringify([about.app, about.handler, about.queue]);
          deferred.set(key, { ...about, runs: runs + (deferred.get(key)?.runs ?? 0) });
        }
      }
    } finally {
      for (const deferral of deferred.values()) this.events.emit('runs.deferred', deferral);
    }
  }

  private async lift(): Promise<void> {
    const runs = await this.storage.liftOverdue();
    if (runs > 0) this.events.emit('runs.lifted', { runs });
  }

  /** Beside a release that knows no workflows. */
  private async reconcile(): Promise<void> {
    const { flows } = this.storage;
    for (let round = 0; flows && round < maxReconcileRounds && !this.stopped; round++) {
      if ((await flows.reconcileFlows()) === 0) return;
    }
  }

  /** One worker of all apps. */
  private async count(owner: string): Promise<void> {
    if (this.maker === null) return;
    const lock = await this.lock.acquire('chronis:statistics', owner, this.options.janitorMs / 2);
    if (lock !== null) await this.maker.round(() => this.stopped);
  }

  private async prune(): Promise<void> {
    const now = this.clock.monotonic();
    let agedMs = mostLeapMs + now - (this.prunedAt ?? now);
    for (let round = 0; round < maxPruneRounds && !this.stopped; round++) {
      const {
        more,
        withheldMs,
        refused = [],
        ...forgotten
      } = await this.storage.prune(this.options.retention, agedMs);
      this.prunedAt = now;
      agedMs = 0;
      if (withheldMs > 0 && !this.isWithheld) this.events.emit('record.withheld', { aheadMs: withheldMs });
      this.isWithheld = withheldMs > 0;
      for (const { row, error, retryInMs } of refused)
        this.events.emit('storage.failing', { operation: rowOperations.forget(row), error, retryInMs });
      if (Object.values(forgotten).some((count) => count > 0)) this.events.emit('record.pruned', forgotten);
      if (!more) return;
    }
  }

  /** Whether it was done. */
  private async step(operation: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.outages.answered(operation);
      return true;
    } catch (error) {
      this.events.emit('storage.failing', { operation, error, retryInMs: this.options.janitorMs });
      return false;
    }
  }
}

import { randomUUID } from 'node:crypto';
import type { ChronisEvents } from '../events/chronis.events.js';
import type { JobRef } from '../model/job.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { LockAdapter } from '../ports/lock.adapter.js';
import type { StorageAdapter, SyncPlan, SyncResult } from '../ports/storage.adapter.js';
import type { Exploration } from './declared.job.js';
import { declaredSet, syncLockOf } from './declared.set.js';
import { acquireWithin } from './lock.patience.js';
import { missingJobs, planMissing } from './missing.plan.js';
import type { SyncRules } from './sync.plan.js';

const lockMs = 30_000;
/** A start does not wait for long: what it does not get to is done soon after. */
const lockWaitMs = 5_000;
const tryAgainMs = 5_000;
/** With more it asks the storage under the lock, which reads all. */
const mostLookedAt = 1_000;

/** What it works with. */
export interface MissingJobsParts {
  storage: StorageAdapter;
  lock: LockAdapter;
  clock: Clock;
  events: ChronisEvents;
  explore: () => Exploration;
}

/**
 * Has a process that runs no jobs store those that its code declares and that are not there, see `planMissing`: so they are known, and can be run by hand, before the first worker comes. It carries nothing and
 * has no lease; when everything is there, which it is as a rule, that is one read.
 */
export class MissingJobs {
  private cancelTimer: CancelTimer | null = null;
  private stopped = false;
  private failures = 0;

  constructor(
    private readonly parts: MissingJobsParts,
    private readonly rules: SyncRules,
  ) {}

  /** Never rejects: what cannot be done now is tried again until `end`. */
  store(): Promise<void> {
    this.stopped = false;
    return this.attempt();
  }

  /** No more tries. What is under way is short, and safe to be cut off. */
  end(): void {
    this.stopped = true;
    this.cancelTimer?.();
  }

  private async attempt(): Promise<void> {
    const { events, explore } = this.parts;
    if (explore().jobs.length === 0) return;
    try {
      const isDone = (await this.isAllThere()) ? this.tell([], []) : await this.storeMissing();
      if (this.failures > 0) events.emit('storage.recovered', { operation: 'sync', failures: this.failures });
      this.failures = 0;
      if (isDone) return;
    } catch (error) {
      this.failures++;
      if (!this.stopped) events.emit('storage.failing', { operation: 'sync', error, retryInMs: tryAgainMs });
    }
    if (this.stopped) return;
    this.cancelTimer = this.parts.clock.setTimer(tryAgainMs, () => void this.attempt());
  }

  private async isAllThere(): Promise<boolean> {
    const { storage, explore } = this.parts;
    const { app } = this.rules;
    const { items, cursor } = await storage.queryJobs({ source: 'code', app }, { limit: mostLookedAt });
    if (cursor !== null) return false;
    return missingJobs(explore().jobs, items).length === 0;
  }

  /** False: somebody has locked some of it. */
  private async storeMissing(): Promise<boolean> {
    const { lock: locks, clock } = this.parts;
    const wanted = {
      key: syncLockOf(this.rules.app),
      owner: randomUUID(),
      ttlMs: lockMs,
      waitMs: lockWaitMs,
    };
    const lock = await acquireWithin(locks, clock, wanted, async () => this.stopped);
    if (lock === null) return true;
    try {
      const result = await this.sync();
      if (result.status === 'refused') return true;
      const { changes, conflicts, postponed } = result;
      this.tell(
        changes.flatMap((change) => ('job' in change ? change.job : [])),
        conflicts,
      );
      return postponed.length === 0;
    } finally {
      // What cannot be given back ends with its lease.
      await locks.release(lock).catch(() => false);
    }
  }

  private sync(): Promise<SyncResult> {
    const { storage, explore } = this.parts;
    const { jobs } = explore();
    const { app, orphanGraceMs: graceMs, previousApps } = this.rules;
    return storage.syncDefinitions({
      app,
      ...declaredSet(jobs),
      workerId: null,
      graceMs,
      previousApps,
      plan: (stored, _carried, now): SyncPlan => planMissing(jobs, stored, now, this.rules),
    });
  }

  private tell(created: readonly JobRef[], taken: readonly JobRef[]): true {
    const { events, explore } = this.parts;
    const refs = (jobs: readonly JobRef[]): JobRef[] => jobs.map(({ namespace, id }) => ({ namespace, id }));
    const declared = explore().jobs.length;
    events.emit('jobs.stored', { app: this.rules.app, declared, created: refs(created), taken: refs(taken) });
    return true;
  }
}

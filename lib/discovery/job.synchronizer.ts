import type { ChronisEvents } from '../events/chronis.events.js';
import { JobIdTakenError } from '../model/errors.js';
import type { JobRef } from '../model/job.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { LockAdapter } from '../ports/lock.adapter.js';
import type {
  DefinitionChange,
  StorageAdapter,
  StoredDefinition,
  SyncRequest,
  SyncResult,
} from '../ports/storage.adapter.js';
import { hashOf } from '../scheduler/definition.hash.js';
import { refKey } from '../scheduler/job.identity.js';
import type { DeclaredJob, Exploration } from './declared.job.js';
import { acquireWithin } from './lock.patience.js';
import { planSync, type SyncRules } from './sync.plan.js';

const lockMs = 30_000;
const lockWaitMs = 60_000;
const tryAgainMs = 5_000;
/** What somebody has locked is mostly free again within these tries, which the first sync waits for. */
const quickTries = { most: 5, pauseMs: 100 };
const postponedAgainMs = 1_000;

/** What the synchronizer works with. */
export interface SynchronizerParts {
  storage: StorageAdapter;
  lock: LockAdapter;
  clock: Clock;
  events: ChronisEvents;
  explore: () => Exploration;
  /** Of the lease that the process has now; it may be another one than at the first sync. */
  workerId: () => string | null;
  /** Something changed after the start. */
  onChange: () => void;
}

/** What one set of declarations asks of the storage; `stored`: what its last plan was made of. */
interface SyncWork {
  jobs: readonly DeclaredJob[];
  request: SyncRequest;
  stored: () => readonly StoredDefinition[];
}

/**
 * Makes the stored jobs of the app agree with the code, under a lock and in one transaction of the storage.
 *
 * superseded: a live worker runs a newer release, whose jobs stay; tries again every few seconds until that release is gone, and
 * then adopts its own (a rollback) · synced: done, for this process, but for jobs that somebody else has locked, by a call in a transaction that is still open for instance: they stay as they are, which is
 * told, and follow as soon as that is over. Nobody's start waits for it.
 */
export class JobSynchronizer {
  private cancelTimer: CancelTimer | null = null;
  private stopped = true;
  /** Which jobs it last told to be postponed. */
  private toldWaiting = '[]';

  constructor(
    private readonly parts: SynchronizerParts,
    private readonly rules: SyncRules,
  ) {}

  /** Returns the generation of the declarations; null: there are none. Throws LockTimeoutError, JobIdTakenError. */
  async sync(workerId: string): Promise<number | null> {
    if (this.parts.explore().jobs.length === 0) return null;
    this.stopped = false;
    const result = await this.attempt(workerId);
    if (!isThrough(result)) this.later(result);
    return result.generation;
  }

  stop(): void {
    this.stopped = true;
    this.cancelTimer?.();
    this.cancelTimer = null;
  }

  private later(after: SyncResult | null): void {
    if (this.stopped) return;
    this.cancelTimer?.();
    const pauseMs = after?.status === 'synced' ? postponedAgainMs : tryAgainMs;
    this.cancelTimer = this.parts.clock.setTimer(pauseMs, () => void this.tryAgain());
  }

  private async tryAgain(): Promise<void> {
    const { events, workerId, onChange } = this.parts;
    const owner = workerId();
    let result: SyncResult | null = null;
    try {
      // Without a lease there is nobody whose generation could be noted: the engine is about to get a new one.
      result = owner === null ? null : await this.attempt(owner, false);
      if (result?.status === 'synced') onChange();
      if (result !== null && isThrough(result)) return;
    } catch (error) {
      events.emit('storage.failing', { operation: 'sync', error, retryInMs: tryAgainMs });
    }
    this.later(result);
  }

  private async attempt(workerId: string, isFirst = true): Promise<SyncResult> {
    const { lock: locks, clock } = this.parts;
    const key = `chronis:sync:${this.rules.app}`;
    const wanted = { key, owner: workerId, ttlMs: lockMs, waitMs: lockWaitMs };
    const work = this.workFor(workerId);
    let confirmed: SyncResult | null = null;
    // Many instances that start at once with the same set wait for the first only, and for nobody when it was there before.
    const lock = await acquireWithin(locks, clock, wanted, async () => {
      confirmed = (await this.parts.storage.confirmDefinitions?.(work.request)) ?? null;
      return confirmed !== null;
    });
    if (lock === null) return this.tell(confirmed!, work, isFirst);
    try {
      for (let tries = 1; ; tries++) {
        const result = await this.store(work, isFirst && tries === 1);
        if (isThrough(result) || result.status === 'superseded' || !isFirst || tries === quickTries.most)
          return result;
        await new Promise<void>((resolve) => void clock.setTimer(quickTries.pauseMs, resolve));
      }
    } finally {
      // What cannot be given back ends with its lease; what was synced stays synced.
      await locks.release(lock).catch(() => false);
    }
  }

  private async store(work: SyncWork, isFirst: boolean): Promise<SyncResult> {
    return this.tell(await this.parts.storage.syncDefinitions(work.request), work, isFirst);
  }

  private workFor(workerId: string): SyncWork {
    const { jobs, handlers } = this.parts.explore();
    const handlerNames = new Set(handlers.map(({ name }) => name));
    let stored: readonly StoredDefinition[] = [];
    const request: SyncRequest = {
      app: this.rules.app,
      setHash: hashOf(Object.fromEntries(jobs.map(({ definition, hash }) => [refKey(definition), hash]))),
      workerId,
      declared: jobs.map(({ definition }) => refKey(definition)),
      plan: (found, now) => {
        stored = found;
        return planSync(jobs, handlerNames, found, now, this.rules);
      },
    };
    return { jobs, request, stored: () => stored };
  }

  private async tell(result: SyncResult, { jobs, stored }: SyncWork, isFirst: boolean): Promise<SyncResult> {
    const { events } = this.parts;
    const { app } = this.rules;
    if (result.status === 'synced') {
      const changes = changedRefs(result.changes, stored());
      const summary = { app, generation: result.generation, superseded: false, declared: jobs.length };
      const { postponed } = result;
      const waiting = JSON.stringify(postponed.map(refKey));
      if (isThrough(result) || result.changes.length > 0 || waiting !== this.toldWaiting)
        events.emit('jobs.synced', { ...summary, ...changes, postponed });
      this.toldWaiting = waiting;
      if (result.conflicts.length > 0) await this.refuse(jobs, result.conflicts[0]!);
    } else if (isFirst) {
      const summary = { app, generation: result.generation, superseded: true, declared: jobs.length };
      events.emit('jobs.synced', {
        ...summary,
        created: [],
        changed: [],
        orphaned: [],
        deleted: [],
        postponed: [],
      });
    }
    return result;
  }

  private async refuse(jobs: readonly DeclaredJob[], taken: JobRef): Promise<never> {
    const holder = await this.parts.storage.getJob(taken);
    const origin = holder?.source === 'code' ? `of the app "${holder.app}"` : 'that was created at run time';
    const declared = jobs.find(({ definition }) => refKey(definition) === refKey(taken));
    throw new JobIdTakenError(taken.id, taken.namespace, declared?.place ?? 'The code', origin);
  }
}

function isThrough(result: SyncResult): boolean {
  return result.status === 'synced' && result.postponed.length === 0;
}

function changedRefs(
  changes: readonly DefinitionChange[],
  stored: readonly StoredDefinition[],
): { created: JobRef[]; changed: JobRef[]; orphaned: JobRef[]; deleted: JobRef[] } {
  const byUid = new Map(stored.map(({ uid, namespace, id }) => [uid, { namespace, id }]));
  const refs = (...kinds: DefinitionChange['kind'][]): JobRef[] =>
    changes
      .filter(({ kind }) => kinds.includes(kind))
      .map((change) => ('job' in change ? refOf(change.job) : byUid.get(change.uid)!));
  return {
    created: refs('insert'),
    changed: refs('update', 'adopt'),
    orphaned: refs('orphan'),
    deleted: refs('delete'),
  };
}

function refOf({ namespace, id }: JobRef): JobRef {
  return { namespace, id };
}

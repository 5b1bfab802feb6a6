import type { ChronisEvents } from '../events/chronis.events.js';
import { JobIdTakenError } from '../model/errors.js';
import type { JobRef } from '../model/job.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { LockAdapter } from '../ports/lock.adapter.js';
import type {
  ChangedJob,
  EpochMs,
  StorageAdapter,
  StoredDefinition,
  SyncedSet,
  SyncPlan,
  SyncResult,
  WorkerRegistration,
} from '../ports/storage.adapter.js';
import { refKey } from '../scheduler/job.identity.js';
import type { DeclaredJob, Exploration } from './declared.job.js';
import { declaredSet, setHashOf, syncLockOf } from './declared.set.js';
import { Heir } from './heir.js';
import type { JobLists } from './job.lists.js';
import { acquireWithin } from './lock.patience.js';
import { planSync, type SyncRules } from './sync.plan.js';
import { unsaidRenames } from './unsaid.renames.js';
import { changedJobs, changedRefs, toldChange } from './sync.report.js';

const lockMs = 30_000;
const lockWaitMs = 60_000;
/** After a failure. */
const tryAgainMs = 5_000;
/** What somebody has locked is mostly free again within these tries, which the first sync waits for. */
const quickTries = { most: 5, pauseMs: 100 };
/** And then by and by: every process of a release comes back to what stays locked. */
const postponedAgainMs = { first: 1_000, most: 5_000 };
/** When a start that had nothing to do looks once more: a sync that was under way meanwhile is done by then, as a rule. */
const afterStartMs = 2_000;
/** An id that belongs to a job of somebody else may become free. */
const takenAgainMs = 60_000;
/** All processes of a release hear of a change at the same time, and one is enough. */
const longestSpreadMs = 500;

/** What the synchronizer works with. */
export interface SynchronizerParts {
  storage: StorageAdapter;
  lock: LockAdapter;
  clock: Clock;
  events: ChronisEvents;
  random: () => number;
  /** What the code declares, and the lists. */
  explore: () => Exploration;
  lists: Pick<JobLists, 'areKnown' | 'withhold' | 'restore'>;
  /** Of the lease that the process has now; it may be another one than at the first sync. */
  workerId: () => string | null;
  /** Something changed after the start. */
  onChange: () => void;
}

/** A worker that is registered, with what its code declares. */
export interface Enrolled {
  now: EpochMs;
  /** Monotonic time before the lease began. */
  sentAt: number;
  generation: number | null;
}

type Synced = Extract<SyncResult, { status: 'synced' }>;

/**
 * Keeps the stored jobs of the app in agreement with what its live workers declare, at the start and whenever that has become something else, as workers came or went. Under a lock and in
 * one transaction of the storage; but if all is as it was synced last, which is one cheap read, nothing is locked.
 *
 * What cannot be done at once is tried again: jobs that somebody else has locked, by a call in a transaction that is still open for instance, stay as they are, which is told, and follow
 * as soon as that is over. Nobody's start waits for it.
 */
export class JobSynchronizer {
  /** The number of the set that its worker carries; null: of none. */
  generation: number | null = null;
  private cancelTimer: CancelTimer | null = null;
  private stopped = true;
  /** The pass that is under way. */
  private atWork: Promise<void> | null = null;
  private again = false;
  /** It is not registered yet, so any set that is known may become its own. */
  private enrolling = false;
  /**
   * Whether jobs of previous apps are taken over: only until all that the start had to do is done. Two apps that name each other as previous would take these jobs from each other without end otherwise.
   */
  private takesOver = true;
  /** When to look again at ids that were taken; monotonic. */
  private takenUntil = -Infinity;
  /** Syncs in a row that somebody's locks have left unfinished. */
  private postponements = 0;
  /** What it last told to be put off, taken or not in force. */
  private told = '';
  /** Of what was made at run time. */
  private readonly heir: Heir;

  constructor(
    private readonly parts: SynchronizerParts,
    private readonly rules: SyncRules,
  ) {
    this.heir = new Heir(parts, rules.app, rules.previousApps);
  }

  /** Registers a worker, with what the code declares. If it rejects, nothing was written. Throws LockTimeoutError, JobIdTakenError. */
  async enroll(worker: WorkerRegistration, leaseMs: number): Promise<Enrolled> {
    this.enrolling = true;
    try {
      const enrolled = await this.enrolOnce(worker, leaseMs);
      this.heir.begin();
      return enrolled;
    } finally {
      this.enrolling = false;
    }
  }

  private async enrolOnce(worker: WorkerRegistration, leaseMs: number): Promise<Enrolled> {
    const { storage, clock } = this.parts;
    this.stopped = false;
    this.generation = null;
    this.takesOver = true;
    let sentAt = clock.monotonic();
    const hasJobs = this.declares;
    const known = hasJobs ? await this.known() : null;
    if (known !== null || !hasJobs) {
      const generation = known?.generation ?? null;
      this.takesOver = false;
      const { now } = await storage.register({ ...worker, generation }, leaseMs);
      this.generation = generation;
      if (known === null) return { now, sentAt, generation };
      this.tell(nothingNew(known, now), new Map(), known);
      // A sync of others that was under way did not know of this worker, nor this start of that sync.
      this.later(afterStartMs * (0.5 + this.parts.random() / 2));
      return { now, sentAt, generation };
    }
    const result = await this.locked(worker.id, async () => {
      sentAt = clock.monotonic();
      const enrolled = await this.store(worker.id, { worker, leaseMs });
      const synced = await this.tryQuickly(worker.id, enrolled);
      return { ...synced, now: enrolled.now };
    });
    if (result === null) return this.enrolOnce(worker, leaseMs);
    this.afterSync(result);
    return { now: result.now, sentAt, generation: result.generation };
  }

  /** Never rejects: the worker is registered, and what is left is come back to. */
  private async tryQuickly(workerId: string, enrolled: Synced): Promise<Synced> {
    const { clock, events } = this.parts;
    let synced = enrolled;
    try {
      for (let tries = 1; synced.postponed.length > 0 && tries < quickTries.most; tries++) {
        await new Promise<void>((resolve) => void clock.setTimer(quickTries.pauseMs, resolve));
        synced = await this.store(workerId);
      }
    } catch (error) {
      events.emit('storage.failing', { operation: 'sync', error, retryInMs: postponedAgainMs.first });
    }
    return synced;
  }

  /** Workers came or went, so that other declarations may be in force. */
  follow(): void {
    this.heir.follow();
    if (this.stopped || !this.declares) return;
    if (this.atWork !== null) this.again = true;
    else if (this.parts.clock.monotonic() >= this.takenUntil)
      this.later(Math.round(this.parts.random() * longestSpreadMs));
  }

  /** This process declares something else than before. */
  renew(): void {
    if (this.stopped) return;
    this.takenUntil = -Infinity;
    if (this.atWork !== null) this.again = true;
    else this.later(0);
  }

  /** Resolves when no sync is under way any more: one that loses its storage would leave its lock, and all others would have to wait for the end of that. */
  async end(): Promise<void> {
    this.stopped = true;
    this.cancelTimer?.();
    this.cancelTimer = null;
    await Promise.all([this.atWork, this.heir.end()]);
  }

  private later(pauseMs: number): void {
    if (this.stopped) return;
    this.cancelTimer?.();
    this.cancelTimer = this.parts.clock.setTimer(pauseMs, () => {
      this.cancelTimer = null;
      this.again = false;
      this.atWork = this.pass().finally(() => {
        this.atWork = null;
        if (this.again) this.follow();
      });
    });
  }

  /** Never rejects. */
  private async pass(): Promise<void> {
    const { events, workerId, onChange } = this.parts;
    try {
      const owner = workerId();
      // Without a lease there is nobody who carries anything: the engine is about to get a new one.
      if (owner === null) return this.later(tryAgainMs);
      const known = await this.known();
      if (this.isCarried(known)) {
        this.settled();
        return this.tell(nothingNew(known, 0), new Map(), known);
      }
      const result = await this.locked(
        owner,
        () => this.store(owner),
        () => this.stopped,
      );
      if (result === null) return this.settled();
      if (result.changes.length > 0) onChange();
      this.afterSync(result);
    } catch (error) {
      if (!this.stopped) events.emit('storage.failing', { operation: 'sync', error, retryInMs: tryAgainMs });
      this.later(tryAgainMs);
    }
  }

  /** An empty list declares that there are no jobs. */
  private get declares(): boolean {
    return this.parts.lists.areKnown || this.parts.explore().jobs.length > 0;
  }

  private afterSync({ postponed, conflicts }: Synced): void {
    if (this.parts.lists.restore()) this.later(0);
    if (postponed.length > 0) {
      const { first, most } = postponedAgainMs;
      const pauseMs = Math.min(first * 1.5 ** Math.min(this.postponements++, 10), most);
      return this.later(pauseMs * (0.5 + this.parts.random() / 2));
    }
    this.settled();
    if (conflicts.length === 0 || this.cancelTimer !== null) return;
    this.takenUntil = this.parts.clock.monotonic() + takenAgainMs;
    this.later(takenAgainMs);
  }

  /** Nothing is left of what the start had to do, whoever has done it. */
  private settled(): void {
    this.postponements = 0;
    this.takesOver = false;
  }

  /** The set that the code declares, if that is synced; null: it is not, or has to be looked at. */
  private async known(): Promise<SyncedSet | null> {
    const { storage, explore } = this.parts;
    const { app, orphanGraceMs: graceMs, orphans } = this.rules;
    if (orphans === 'delete' && (await storage.countJobs({ state: 'orphaned' })) > 0) return null;
    return storage.syncedSet({ app, setHash: setHashOf(explore().jobs), graceMs });
  }

  /**
   * Whether a set that is known has the number under which this worker carries it. A storage that has lost its last commits may have given that number to another set since.
   */
  private isCarried(known: SyncedSet | null): known is SyncedSet {
    return known !== null && (this.enrolling || known.generation === this.generation);
  }

  /** Null: another process of this release has done it meanwhile, or it is not wanted any more. */
  private async locked(
    owner: string,
    sync: () => Promise<Synced>,
    isUnwanted = () => false,
  ): Promise<Synced | null> {
    const { lock: locks, clock } = this.parts;
    const key = syncLockOf(this.rules.app);
    const wanted = { key, owner, ttlMs: lockMs, waitMs: lockWaitMs };
    const isSettled = async (): Promise<boolean> => isUnwanted() || this.isCarried(await this.known());
    const lock = await acquireWithin(locks, clock, wanted, isSettled);
    if (lock === null) return null;
    try {
      // Who is about to go has no say any more.
      return isUnwanted() ? null : await sync();
    } finally {
      // What cannot be given back ends with its lease; what was synced stays synced.
      await locks.release(lock).catch(() => false);
    }
  }

  private async store(
    workerId: string,
    registration?: { worker: WorkerRegistration; leaseMs: number },
  ): Promise<Synced> {
    const { storage, explore, events } = this.parts;
    const { jobs } = explore();
    const { app, orphanGraceMs: graceMs, previousApps } = this.rules;
    const stored = new Map<string, StoredDefinition>();
    let plan: SyncPlan = { changes: [], outranked: [] };
    const result = await storage.syncDefinitions({
      app,
      ...declaredSet(jobs),
      workerId,
      ...(registration && { registration }),
      graceMs,
      previousApps: this.takesOver ? previousApps : [],
      plan: (found, carried, now) => {
        // It may be asked more than once, the last time after some of it was done.
        for (const job of found) stored.set(job.uid, job);
        plan = planSync(jobs, found, carried, now, this.rules);
        return plan;
      },
    });
    if (result.status === 'refused') {
      // Of a list that is told once the process works.
      if (this.parts.lists.withhold(result.conflicts)) return this.store(workerId, registration);
      return this.refuse(jobs, result.conflicts[0]!);
    }
    this.generation = result.generation;
    this.tell(result, stored, {
      outranked: plan.outranked,
      changed: changedJobs(app, stored, result.changes),
    });
    const renames = unsaidRenames(jobs, stored, result.changes);
    if (renames.length > 0) events.emit('renames.unsaid', { app, renames });
    return result;
  }

  private tell(
    { generation, changes, conflicts, postponed }: Synced,
    stored: ReadonlyMap<string, StoredDefinition>,
    { outranked, changed }: { outranked: readonly JobRef[]; changed: readonly ChangedJob[] },
  ): void {
    const { events, explore } = this.parts;
    const byKey = (one: JobRef, other: JobRef): number => (refKey(one) < refKey(other) ? -1 : 1);
    const changedAtRunTime = changed.map(toldChange).toSorted(byKey);
    const state = JSON.stringify([
      ...[postponed, conflicts, outranked].map((refs) => refs.map(refKey)),
      changedAtRunTime,
    ]);
    // What goes on as it was is told once.
    if (changes.length === 0 && state === this.told) return;
    this.told = state;
    events.emit('jobs.synced', {
      app: this.rules.app,
      generation,
      declared: explore().jobs.length,
      ...changedRefs(changes, stored),
      changedAtRunTime,
      outranked: [...outranked],
      postponed,
      taken: conflicts,
    });
  }

  private async refuse(jobs: readonly DeclaredJob[], taken: JobRef): Promise<never> {
    const holder = await this.parts.storage.getJob(taken);
    const declared = jobs.find(({ definition }) => refKey(definition) === refKey(taken));
    const app = holder?.source === 'code' ? holder.app : holder === null ? undefined : null;
    throw new JobIdTakenError(taken.id, taken.namespace, declared?.place ?? 'The code', app);
  }
}

function nothingNew({ generation }: SyncedSet, now: EpochMs): Synced {
  return { status: 'synced', generation, now, changes: [], conflicts: [], postponed: [] };
}

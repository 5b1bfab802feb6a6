import type { Engine, EngineState, EngineStatus } from '../engine/engine.js';
import { messageOf } from '../events/shown.error.js';
import { outageOperations } from '../events/storage.operations.js';
import type { Calendars, DurationInput } from '../model/trigger.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { parseDuration } from '../triggers/duration.js';
import { runWords } from './explaining.words.js';
import { knownOptions } from './option.checks.js';
import { StandingAhead } from './standing.ahead.js';
import { StandingOverdue } from './standing.overdue.js';
import { StandingStale } from './standing.stale.js';
import { StrandedJobs } from './stranded.jobs.js';

/**
 * What is found by `health()`, by a code that keeps its meaning over releases; those of `doctor.` are those of the doctor. @publicApi
 */
export type HealthCode =
  | 'health.storage-silent'
  | 'health.no-lease'
  | 'health.operation-failing'
  | 'health.job-files'
  | 'health.isolated-run'
  | 'health.overdue-job'
  | 'doctor.missing-handler'
  | 'doctor.unserved-queue'
  | 'doctor.schedules-ahead'
  | 'doctor.stale-pause'
  | 'doctor.listen';

/** One thing that `health()` has found. @publicApi */
export interface HealthReason {
  code: HealthCode;
  /** `problem`: this process is not healthy · `warning`: somebody should see to it. */
  severity: 'problem' | 'warning';
  sentence: string;
}

/** How this process is by what it knows itself; times are those of its own clock. @publicApi */
export interface SchedulerStatus {
  state: EngineState;
  since: Date;
  /** Handlers that are going on. */
  running: number;
  /** The same by queue, of all that this process serves. */
  runningIn: { queue: string; runs: number }[];
  /** How many may go on at once. */
  concurrency: number;
  /** What this process may run jobs by; null: it has none, as it does not work, or has lost it. */
  lease: SchedulerHealth['lease'];
  /** When its loop last went on, which it does at each poll at least, and while the storage is away after each try; null: it has none, as it does not work, or waits for another lease. */
  turnedAt: Date | null;
  /** How long it sleeps at most, but for a fifth. */
  pollMs: number;
}

/** How this process is; times are those of its own clock. @publicApi */
export interface SchedulerHealth {
  /** The storage answers, and a process that works has a lease and gets through with what it does all the time. */
  healthy: boolean;
  /** What is wrong, a sentence each; empty where it is healthy. */
  problems: string[];
  /**
   * What somebody should see to though this process is well, a sentence each: due jobs of its app that no live process can run, as each lacks the handler or the queue, not older than a minute; that it executes a run alone, so that nothing else begins; that no signals of other processes arrive; jobs of its app that stand still as they have fired by a clock that was ahead; pauses without an end that are older than `pausedTooLong`, ten at most; and what is wrong with job files.
   */
  warnings: string[];
  /** The same with codes, the problems first. */
  reasons: HealthReason[];
  /** `idle`: it runs no jobs · `starting` · `working` · `draining`: it begins nothing more, and waits for its handlers. */
  state: EngineState;
  /** Since when it is in that state. */
  since: Date;
  /** Handlers that are going on. */
  running: number;
  /** What this process may run jobs by; null: it has none, as it does not work, or has lost it. */
  lease: {
    workerId: string;
    /** When it was last renewed. */
    renewedAt: Date;
    /** When it ends unless it is renewed. */
    until: Date;
  } | null;
  storage: {
    /** Such as `memory` or `postgres`. */
    kind: string;
    /** Whether it has just answered. */
    answers: boolean;
    /** How long that took. */
    tookMs: number;
    /** What does not get through at present, the longest failing first. */
    failing: { operation: string; since: Date; error: string }[];
  };
}

/** Of `health`. @publicApi */
export interface HealthOptions {
  /** How long the storage has to answer. @default '2s' */
  timeout?: DurationInput;
}

const answerMs = 2_000;

/** What it looks at. */
export interface HealthParts {
  engine: Engine;
  storage: StorageAdapter;
  clock: Clock;
  app: string;
  leaseMs: number;
  calendars: Calendars;
  pausedTooLongMs: number | null;
  /** Of the lists of jobs. */
  warnings: () => string[];
}

/** Tells how this process is. */
export class HealthCheck {
  /** One question at a time: those to a storage that is silent would take all its connections. */
  private asking: Promise<string | null> | null = null;

  private readonly stranded: StrandedJobs;
  private readonly standing: StandingAhead;
  private readonly stale: StandingStale;
  private readonly overdue: StandingOverdue;

  constructor(private readonly parts: HealthParts) {
    this.stranded = new StrandedJobs(parts.storage, parts.clock, parts.app);
    this.standing = new StandingAhead(parts);
    this.stale = new StandingStale(parts);
    this.overdue = new StandingOverdue(parts);
  }

  /** Throws InvalidOptionError and InvalidScheduleError (timeout), and nothing else. */
  async check(options: HealthOptions = {}): Promise<SchedulerHealth> {
    const { timeout } = knownOptions(options, ['timeout'], 'health()') as HealthOptions;
    const withinMs = timeout === undefined ? answerMs : parseDuration(timeout, 'timeout');
    const { clock, engine } = this.parts;
    const askedAt = clock.monotonic();
    const refusal = await this.refusal(withinMs);
    const at = clock.monotonic();
    const looks = async (): Promise<void> =>
      void (await Promise.all([
        this.stranded.look(),
        this.standing.look(),
        this.stale.look(),
        this.overdue.look(),
      ]));
    if (refusal === null) await this.within(withinMs - (at - askedAt), looks(), undefined);
    const now = clock.now();
    return this.told(engine.status(), refusal, at - askedAt, datesAt(now, at));
  }

  /** What the process knows itself: nothing is asked. */
  status(): SchedulerStatus {
    const { clock, engine, leaseMs } = this.parts;
    const { state, since, running, runningIn, concurrency, turnedAt, pollMs, ...status } = engine.status();
    const dateOf = datesAt(clock.now(), clock.monotonic());
    return {
      state,
      since: dateOf(since),
      running,
      runningIn: Array.from(runningIn, ([queue, runs]) => ({ queue, runs })),
      concurrency,
      lease: leaseOf(status, leaseMs, dateOf),
      turnedAt: turnedAt === null ? null : dateOf(turnedAt),
      pollMs,
    };
  }

  private told(
    status: EngineStatus,
    refusal: string | null,
    tookMs: number,
    dateOf: (monotonic: number) => Date,
  ): SchedulerHealth {
    const { storage, leaseMs } = this.parts;
    const lease = leaseOf(status, leaseMs, dateOf);
    const operations = status.failing.map(({ operation, since: failsSince, error }) => ({
      operation,
      since: dateOf(failsSince),
      error: messageOf(error),
    }));
    const reasons = [...this.problems(status, refusal, operations, dateOf), ...this.warnings(status, dateOf)];
    const sentences = (wanted: HealthReason['severity']): string[] =>
      reasons.filter(({ severity }) => severity === wanted).map(({ sentence }) => sentence);
    const problems = sentences('problem');
    return {
      healthy: problems.length === 0,
      problems,
      warnings: sentences('warning'),
      reasons,
      state: status.state,
      since: dateOf(status.since),
      running: status.running,
      lease,
      storage: {
        kind: storage.kind,
        answers: refusal === null,
        tookMs: Math.round(tookMs),
        failing: operations,
      },
    };
  }

  private problems(
    { state, leaseRenewedAt, leaseLostAt }: EngineStatus,
    refusal: string | null,
    operations: SchedulerHealth['storage']['failing'],
    dateOf: (monotonic: number) => Date,
  ): HealthReason[] {
    const problems: HealthReason[] = [];
    const add = (code: HealthCode, sentence: string): void =>
      void problems.push({ code, severity: 'problem', sentence });
    if (refusal !== null) add('health.storage-silent', `The storage does not answer: ${refusal}`);
    if (state !== 'working') return problems;
    if (leaseRenewedAt === null) {
      const lostAt = leaseLostAt === null ? '' : ` since ${dateOf(leaseLostAt).toISOString()}`;
      add('health.no-lease', `This process has no lease${lostAt}, so it runs nothing.`);
    }
    for (const { operation, since, error } of operations) {
      if (!outageOperations.has(operation)) continue;
      const sentence = `"${operation}" does not get through since ${since.toISOString()}: ${error}`;
      add('health.operation-failing', sentence);
    }
    return problems;
  }

  private warnings({ unheard, isolated }: EngineStatus, dateOf: (at: number) => Date): HealthReason[] {
    const ofFiles = this.parts
      .warnings()
      .map((sentence) => ({ code: 'health.job-files' as const, sentence }));
    const found: Omit<HealthReason, 'severity'>[] = [
      ...this.stranded.found,
      ...this.standing.found,
      ...this.stale.found,
      ...this.overdue.found,
      ...ofFiles,
    ];
    if (isolated !== null) {
      const { event, lostCount, until } = isolated;
      const sentence = `Nothing else begins in this process until ${runWords(event)} has ended, or ${dateOf(until).toISOString()} at the latest: its workers have died (${lostCount}), so it is executed alone.`;
      found.push({ code: 'health.isolated-run', sentence });
    }
    if (unheard !== null) {
      const sentence = `Changes by other processes are found by polls only: ${messageOf(unheard.error)}`;
      found.push({ code: 'doctor.listen', sentence });
    }
    return found.map(({ code, sentence }) => ({ code, severity: 'warning', sentence }));
  }

  /** Why the storage does not answer; null: it has. */
  private refusal(withinMs: number): Promise<string | null> {
    this.asking ??= this.ask().finally(() => (this.asking = null));
    return this.within(withinMs, this.asking, `nothing came within ${withinMs} ms.`);
  }

  private async within<T>(ms: number, work: Promise<T>, otherwise: T): Promise<T> {
    let cancel = (): void => undefined;
    const silence = new Promise<T>((resolve) => {
      cancel = this.parts.clock.setTimer(ms, () => resolve(otherwise));
    });
    try {
      return await Promise.race([work, silence]);
    } finally {
      cancel();
    }
  }

  /** Never rejects. */
  private async ask(): Promise<string | null> {
    try {
      await this.parts.storage.now();
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }
}

/** What monotonic times are by the clock. */
function datesAt(now: number, monotonic: number): (at: number) => Date {
  return (at) => new Date(now - (monotonic - at));
}

function leaseOf(
  { workerId, leaseRenewedAt }: Pick<EngineStatus, 'workerId' | 'leaseRenewedAt'>,
  leaseMs: number,
  dateOf: (monotonic: number) => Date,
): SchedulerHealth['lease'] {
  if (workerId === null || leaseRenewedAt === null) return null;
  return { workerId, renewedAt: dateOf(leaseRenewedAt), until: dateOf(leaseRenewedAt + leaseMs) };
}

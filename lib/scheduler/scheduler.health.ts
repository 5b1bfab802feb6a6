import type { Engine, EngineState, EngineStatus } from '../engine/engine.js';
import { messageOf } from '../events/shown.error.js';
import { outageOperations } from '../events/storage.operations.js';
import type { DurationInput } from '../model/trigger.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { parseDuration } from '../triggers/duration.js';
import { knownOptions } from './option.checks.js';
import { StrandedJobs } from './stranded.jobs.js';

/** How this process is; times are those of its own clock. @publicApi */
export interface SchedulerHealth {
  /** The storage answers, and a process that works has a lease and gets through with what it does all the time. */
  healthy: boolean;
  /** What is wrong, a sentence each; empty where it is healthy. */
  problems: string[];
  /**
   * What somebody should see to though this process is well, a sentence each: due jobs of its app that no live process can run, as each lacks the handler or the queue, not older than a minute; that no signals of other processes arrive; and what is wrong with job files.
   */
  warnings: string[];
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
  /** Of the lists of jobs. */
  warnings: () => string[];
}

/** Tells how this process is. */
export class HealthCheck {
  /** One question at a time: those to a storage that is silent would take all its connections. */
  private asking: Promise<string | null> | null = null;

  private readonly stranded: StrandedJobs;

  constructor(private readonly parts: HealthParts) {
    this.stranded = new StrandedJobs(parts.storage, parts.clock, parts.app);
  }

  /** Throws InvalidOptionError and InvalidScheduleError (timeout), and nothing else. */
  async check(options: HealthOptions = {}): Promise<SchedulerHealth> {
    const { timeout } = knownOptions(options, ['timeout'], 'health()') as HealthOptions;
    const withinMs = timeout === undefined ? answerMs : parseDuration(timeout, 'timeout');
    const { clock, engine } = this.parts;
    const askedAt = clock.monotonic();
    const refusal = await this.refusal(withinMs);
    const at = clock.monotonic();
    if (refusal === null) await this.within(withinMs - (at - askedAt), this.stranded.look(), undefined);
    const now = clock.now();
    return this.told(engine.status(), refusal, at - askedAt, (monotonic) => new Date(now - (at - monotonic)));
  }

  private told(
    { state, since, workerId, leaseRenewedAt, leaseLostAt, running, failing, unheard }: EngineStatus,
    refusal: string | null,
    tookMs: number,
    dateOf: (monotonic: number) => Date,
  ): SchedulerHealth {
    const { storage, leaseMs } = this.parts;
    const lease =
      workerId === null || leaseRenewedAt === null
        ? null
        : { workerId, renewedAt: dateOf(leaseRenewedAt), until: dateOf(leaseRenewedAt + leaseMs) };
    const operations = failing.map(({ operation, since: failsSince, error }) => ({
      operation,
      since: dateOf(failsSince),
      error: messageOf(error),
    }));
    const problems = refusal === null ? [] : [`The storage does not answer: ${refusal}`];
    if (state === 'working' && lease === null) {
      const lostAt = leaseLostAt === null ? '' : ` since ${dateOf(leaseLostAt).toISOString()}`;
      problems.push(`This process has no lease${lostAt}, so it runs nothing.`);
    }
    for (const { operation, since: failsSince, error } of state === 'working' ? operations : []) {
      if (!outageOperations.has(operation)) continue;
      problems.push(`"${operation}" does not get through since ${failsSince.toISOString()}: ${error}`);
    }
    const warnings = [...this.stranded.warnings, ...this.parts.warnings()];
    if (unheard !== null)
      warnings.push(`Changes by other processes are found by polls only: ${messageOf(unheard.error)}`);
    return {
      healthy: problems.length === 0,
      problems,
      warnings,
      state,
      since: dateOf(since),
      running,
      lease,
      storage: {
        kind: storage.kind,
        answers: refusal === null,
        tookMs: Math.round(tookMs),
        failing: operations,
      },
    };
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

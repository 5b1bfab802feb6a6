import { Logger } from '@nestjs/common';
import type {
  ChronisEvents,
  Clock,
  JobDeclarations,
  LockAdapter,
  RunContext,
  SchedulerService,
  StorageAdapter,
} from '../index.js';
import type { CronOptions } from './cron.decorator.js';
import type { CronSource } from './cron.time.js';
import { cronTrigger } from './cron.trigger.js';
import { duplicate } from './messages.js';
import type { ScheduleMetadata } from './schedule.metadata.js';
import type { ScheduledMethod } from './scheduled.method.js';
import type { SchedulerRegistry } from './scheduler.registry.js';
import { overriddenCron, overriddenInterval, restOf } from './stored.override.js';
import { StoredCronJob } from './stored.cron.job.js';
import { StoredJob } from './stored.job.js';
import { isDistributed, overriddenTimer } from './timer.override.js';

/** What the stored schedules work with. */
export interface StoredSchedulesParts {
  declarations: JobDeclarations;
  scheduler: SchedulerService;
  events: ChronisEvents;
  storage: StorageAdapter;
  lock: LockAdapter;
  clock: Clock;
}

/** Declares crons and intervals to the scheduler, whose jobs run once in the cluster. */
export class StoredSchedules {
  private readonly logger = new Logger('Scheduler');
  private readonly crons = new Map<string, StoredCronJob>();
  private readonly intervals = new Map<string, StoredJob>();
  private readonly jobs = new Set<StoredJob>();
  private readonly owners = new Map<string, ScheduledMethod>();
  private readonly synced: Promise<void>;
  private begin!: () => void;
  private mountedAt = 0;

  constructor(
    private readonly parts: StoredSchedulesParts,
    private readonly registry: SchedulerRegistry,
    /** Of crons that name none; not given: the zone of the process. */
    private readonly timeZone: string | undefined,
  ) {
    this.synced = new Promise((resolve) => (this.begin = resolve));
    for (const name of ['jobs.synced', 'scheduler.idle'] as const)
      parts.events.on(name, () => this.onSynced());
  }

  /**
   * Declares what is to run once in the cluster. Returns what is left to a timer of this process; null: nothing. Throws an error when another method has
   * the name, and for schedules and ids that cannot be stored.
   */
  take(scheduled: ScheduledMethod, schedule: ScheduleMetadata): ScheduleMetadata | null {
    if (schedule.kind === 'timeout') return schedule;
    const name = schedule.kind === 'cron' ? schedule.options.name : schedule.name;
    const id = name || scheduled.place;
    const override = this.parts.declarations.overrideOf(id);
    if (!isDistributed(schedule, id, override)) {
      return overriddenTimer(schedule, id, override, this.timeZone);
    }
    if (schedule.kind === 'cron') this.addCron(scheduled, schedule.options);
    else this.addInterval(scheduled, schedule.ms, name);
    return null;
  }

  private addCron(scheduled: ScheduledMethod, declared: CronOptions & { cronTime: CronSource }): void {
    const { place } = scheduled;
    const id = declared.name || place;
    if (!this.isNew('Cron Job', id, scheduled)) return;
    const override = this.parts.declarations.overrideOf(id);
    const given = overriddenCron(declared, id, override);
    const zoned = given.timeZone !== undefined || given.utcOffset !== undefined;
    const { disabled, waitForCompletion, threshold, initialDelay = 0 } = given;
    const timeZone = zoned ? given.timeZone : this.timeZone;
    const stored = this.storedJob(id);
    const job = new StoredCronJob(
      { ...given, timeZone },
      (context) => scheduled.call(context),
      stored,
      place,
      () => this.parts.clock.now(),
    );
    this.crons.set(id, job);
    const trigger = cronTrigger(job.cronTime, place);
    this.parts.declarations.declare({
      ...{ id, place, run: (context) => this.run(job, context, initialDelay) },
      ...(waitForCompletion === false ? { overlap: 'allow' } : {}),
      ...(threshold === undefined ? {} : { misfire: 'skip', misfireThreshold: Math.abs(threshold) }),
      ...restOf(override, trigger),
    });
    // Declared all the same: processes that do not disable it run it, and its handle may start it.
    if (disabled) void stored.stop();
  }

  private addInterval(scheduled: ScheduledMethod, everyMs: number, name?: string): void {
    const { place } = scheduled;
    const id = name || place;
    if (!this.isNew('Interval', id, scheduled)) return;
    const override = this.parts.declarations.overrideOf(id);
    const every = overriddenInterval(Math.round(everyMs), id, override);
    if (every === null) return;
    this.intervals.set(id, this.storedJob(id));
    this.parts.declarations.declare({
      ...{ id, place, run: (context) => scheduled.call(context) },
      ...restOf(override, { type: 'interval', every }),
    });
  }

  /** A schedule of a kind that is switched off: the module may override it all the same. */
  leaveOut({ place }: ScheduledMethod, name: string | undefined): void {
    this.parts.declarations.overrideOf(name || place);
  }

  /** Makes the handles known. */
  mount(): void {
    this.mountedAt = this.parts.clock.monotonic();
    for (const [name, job] of this.crons) this.registry.addCronJob(name, job);
    for (const [name, job] of this.intervals) this.registry.addInterval(name, job);
  }

  /** From now on the handles leave the jobs alone. */
  release(): void {
    for (const job of this.jobs) job.release();
    this.begin();
  }

  /** Gives back what the adapters hold, where the boot has failed: the process could not end. */
  async abandon(): Promise<void> {
    const { lock, storage } = this.parts;
    await Promise.allSettled([lock.close(), storage.close()]);
  }

  private storedJob(id: string): StoredJob {
    const job = new StoredJob(id, this.parts.scheduler, this.synced);
    this.jobs.add(job);
    return job;
  }

  private run(job: StoredCronJob, context: RunContext, initialDelayMs: number): unknown {
    const { clock } = this.parts;
    const waitMs = this.mountedAt + initialDelayMs - clock.monotonic();
    if (initialDelayMs > 0 && waitMs > 0) return context.snooze(Math.ceil(waitMs));
    return job.execute(context);
  }

  /** An alias, or a class that several modules provide, is one job. Throws an error for two methods under one name. */
  private isNew(kind: string, id: string, scheduled: ScheduledMethod): boolean {
    const key = `${kind} ${id}`;
    const owner = this.owners.get(key);
    this.owners.set(key, owner ?? scheduled);
    if (!owner) return true;
    if (owner.method !== scheduled.method || owner.instance.constructor !== scheduled.instance.constructor) {
      throw new Error(duplicate(kind, id));
    }
    if (owner.instance !== scheduled.instance) {
      this.logger.warn(
        `${owner.place} is provided more than once: its job runs once, on one of the instances.`,
      );
    }
    return false;
  }

  /** Others may have paused or changed a job. */
  private async onSynced(): Promise<void> {
    this.begin();
    const handles = [...this.crons.values(), ...this.intervals.values()];
    await Promise.all(handles.map((handle) => handle.look()));
  }
}

import { randomUUID } from 'node:crypto';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { CronOptions } from './cron.decorator.js';
import { CronJob } from './cron.job.js';
import type { CronSource } from './cron.time.js';
import { duplicate, naming } from './messages.js';
import { SchedulerRegistry } from './scheduler.registry.js';
import { StoredSchedules } from './stored.schedules.js';

type Target = () => Promise<void>;
type CronParams = CronOptions & { cronTime: CronSource };

/** Puts what was found on timers of this process when the application has booted, and empties the registry when it closes. */
@Injectable()
export class ScheduleRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly crons = new Map<string, { target: Target; options: CronParams; place: string }>();
  private readonly intervals = new Map<string, { target: Target; ms: number }>();
  private readonly timeouts = new Map<string, { target: Target; ms: number }>();
  private readonly delayed: ReturnType<typeof setTimeout>[] = [];

  constructor(
    @Inject(SchedulerRegistry) private readonly registry: SchedulerRegistry,
    @Inject(StoredSchedules) private readonly stored: StoredSchedules | null,
  ) {}

  /** Throws an error when the name is taken, like the other two. */
  addCron(target: Target, options: CronParams, place: string): void {
    add(this.crons, 'Cron Job', options.name || randomUUID(), { target, options, place });
  }

  addInterval(target: Target, ms: number, name: string = randomUUID()): void {
    add(this.intervals, 'Interval', name, { target, ms });
  }

  addTimeout(target: Target, ms: number, name: string = randomUUID()): void {
    add(this.timeouts, 'Timeout', name, { target, ms });
  }

  onApplicationBootstrap(): void {
    for (const [name, { target, ms }] of inOrder(this.timeouts)) {
      this.registry.addTimeout(
        name,
        setTimeout(() => void target(), ms),
      );
    }
    for (const [name, { target, ms }] of inOrder(this.intervals)) {
      this.registry.addInterval(
        name,
        setInterval(() => void target(), ms),
      );
    }
    for (const [name, { target, options, place }] of inOrder(this.crons)) {
      naming(place, () => this.mountCron(name, target, options));
    }
    this.stored?.mount();
  }

  beforeApplicationShutdown(): void {
    const { registry } = this;
    this.stored?.release();
    for (const name of registry.getTimeouts()) registry.deleteTimeout(name);
    for (const name of registry.getIntervals()) registry.deleteInterval(name);
    for (const timer of this.delayed) clearTimeout(timer);
    for (const name of [...registry.getCronJobs().keys()]) registry.deleteCronJob(name);
  }

  private mountCron(name: string, target: Target, options: CronParams): void {
    const { disabled = false, initialDelay = 0 } = options;
    const job = CronJob.from({ ...options, onTick: target, start: !disabled && !initialDelay });
    this.registry.addCronJob(name, job);
    if (disabled || initialDelay <= 0) return;
    const start = (): void => {
      // The name may have been deleted meanwhile, and given to another job.
      if (this.registry.doesExist('cron', name) && this.registry.getCronJob(name) === job) void job.start();
    };
    this.delayed.push(setTimeout(start, initialDelay));
  }
}

function add<T>(map: Map<string, T>, kind: string, name: string, item: T): void {
  if (map.has(name)) throw new Error(duplicate(kind, name));
  map.set(name, item);
}

/** As the keys of an object come, since the original keeps them in one: names that are whole numbers first. */
function inOrder<T>(map: Map<string, T>): [string, T][] {
  return Object.entries(Object.fromEntries(map));
}

import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { ChronisModule, InvalidOptionError, isScheduledByChronis, schedulesReader } from '../index.js';
import { guarded } from './guarded.js';
import { naming } from './messages.js';
import { assertReadOnce, listed, type Taken } from './other.readers.js';
import { hiddenMethods, scheduleOf, unknownOptions, type ScheduleMetadata } from './schedule.metadata.js';
import type { ScheduleModuleOptions } from './schedule.options.js';
import { ScheduleRunner } from './schedule.runner.js';
import { SCHEDULE_MODULE_OPTIONS } from './schedule.constants.js';
import { ScheduledMethod } from './scheduled.method.js';
import { StoredSchedules } from './stored.schedules.js';

type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

const labels = { cron: 'cron job', interval: 'interval', timeout: 'timeout' } as const;
const switches = { cron: 'cronJobs', interval: 'intervals', timeout: 'timeouts' } as const;

/** Finds the decorated methods of controllers and providers when the modules are initialized. @publicApi */
@Injectable()
export class ScheduleExplorer implements OnModuleInit {
  static readonly [schedulesReader] = true;
  private readonly logger = new Logger('Scheduler');
  private readonly taken: Taken[] = [];
  private readonly distributed: ScheduledMethod[] = [];

  constructor(
    @Inject(SCHEDULE_MODULE_OPTIONS) private readonly options: ScheduleModuleOptions,
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
    @Inject(ScheduleRunner) private readonly runner: ScheduleRunner,
    @Inject(StoredSchedules) private readonly stored: StoredSchedules | null,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {}

  async onModuleInit(): Promise<void> {
    try {
      this.explore();
    } catch (error) {
      await this.stored?.abandon();
      throw error;
    }
  }

  /** Throws an error for two methods of one name, and InvalidOptionError for methods that another ScheduleModule schedules too. */
  explore(): void {
    for (const wrapper of [...this.discovery.getControllers(), ...this.discovery.getProviders()]) {
      const instance = wrapper.instance as ScheduledMethod['instance'] | null;
      const prototype: unknown = instance ? Object.getPrototypeOf(instance) : null;
      if (!instance || !prototype) continue;
      for (const name of this.scanner.getAllMethodNames(prototype)) this.look(wrapper, instance, name);
    }
    assertReadOnce(this.modules, ScheduleExplorer, this.taken);
    this.tellHidden();
    this.tellForeign();
    this.tellUnknown();
  }

  /** As the original, it does not run them: they have not run before either. */
  private tellHidden(): void {
    const methods = new Set<string>();
    for (const { instance } of [...this.discovery.getControllers(), ...this.discovery.getProviders()]) {
      const prototype: unknown = instance ? Object.getPrototypeOf(instance) : null;
      if (!prototype) continue;
      for (const name of hiddenMethods(prototype)) {
        methods.add(new ScheduledMethod(instance as ScheduledMethod['instance'], name).place);
      }
    }
    if (methods.size === 0) return;
    this.logger.warn(
      `Nothing runs ${listed([...methods])}: decorators above have hidden those which scheduled them, as these put something else in the place of the methods. Write those of nestjs-chronis/schedule above the others, and take away one that makes a getter of a method, which needs no binding here.`,
    );
  }

  /** The decorators of the core have the names of these, so the wrong import is easily made, and nothing would ever run. */
  private tellForeign(): void {
    if (this.stored || [...this.modules.values()].some(({ metatype }) => metatype === ChronisModule)) return;
    const methods = new Set<string>();
    for (const { instance } of [...this.discovery.getControllers(), ...this.discovery.getProviders()]) {
      const prototype: unknown = instance ? Object.getPrototypeOf(instance) : null;
      if (!prototype) continue;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        if (!isScheduledByChronis(prototype, name)) continue;
        methods.add(new ScheduledMethod(instance as ScheduledMethod['instance'], name).place);
      }
    }
    if (methods.size === 0) return;
    const comes = methods.size === 1 ? 'its decorator comes' : 'their decorators come';
    this.logger.warn(
      `Nothing runs ${listed([...methods])}: ${comes} from nestjs-chronis, and no ChronisModule is imported. Import the decorators from nestjs-chronis/schedule, or give ScheduleModule the option "distributed".`,
    );
  }

  /** Who moves here from timers may expect the RunContext of a parameter, and nothing else would tell. */
  private tellUnknown(): void {
    const places = new Set(this.distributed.filter((each) => each.takesUnknown).map(({ place }) => place));
    if (places.size === 0) return;
    this.logger.warn(
      `${listed([...places])}: what ${places.size === 1 ? 'it takes' : 'they take'} is undefined, as on timers. A parameter with @Ctx() of nestjs-chronis gets the RunContext; one with a default value is not told of.`,
    );
  }

  private look(wrapper: InstanceWrapper, instance: ScheduledMethod['instance'], name: string): void {
    const schedule = scheduleOf(instance[name]);
    if (schedule === null) return;
    if (!this.options[switches[schedule.kind]]) {
      return this.stored?.leaveOut(new ScheduledMethod(instance, name), nameOf(schedule));
    }
    if (wrapper.isDependencyTreeStatic()) {
      const scheduled = new ScheduledMethod(instance, name);
      if (this.stored)
        for (const text of unknownOptions(scheduled.method, scheduled.place)) this.logger.warn(text);
      this.taken.push({ place: scheduled.place, by: switches[schedule.kind] });
      return this.add(schedule, scheduled);
    }
    this.logger.warn(
      `Cannot register ${labels[schedule.kind]} "${String(wrapper.name)}@${name}" because it is defined in a non static provider.`,
    );
  }

  private add(schedule: ScheduleMetadata, scheduled: ScheduledMethod): void {
    naming(scheduled.place, () => this.put(schedule, scheduled));
  }

  private put(given: ScheduleMetadata, scheduled: ScheduledMethod): void {
    const { stored, runner } = this;
    if (given.kind === 'interval') assertInterval(given.ms);
    const schedule = stored ? stored.take(scheduled, given) : given;
    if (schedule === null) return void this.distributed.push(scheduled);
    assertTimer(schedule, scheduled.place);
    const target = guarded(scheduled.method, scheduled.instance, this.logger);
    if (schedule.kind === 'cron') runner.addCron(target, schedule.options, scheduled.place);
    else if (schedule.kind === 'interval') runner.addInterval(target, schedule.ms, schedule.name);
    else runner.addTimeout(target, schedule.ms, schedule.name);
  }
}

/** Throws InvalidOptionError for what is no number of milliseconds: a timer would fire each millisecond, again and again. */
function assertInterval(ms: unknown): void {
  if (typeof ms !== 'object' && !Number.isNaN(Number(ms))) return;
  throw new InvalidOptionError(
    '@Interval',
    `must be given milliseconds as a number, but was given ${typeof ms === 'number' ? ms : JSON.stringify(ms)}. A text alone is a name: @Interval('name', 5_000).`,
  );
}

/** Longer ones overflow: Node fires them after a millisecond, again and again. */
const longestTimerMs = 2 ** 31 - 1;

/** Throws InvalidOptionError for what no timer can wait for. */
function assertTimer(schedule: ScheduleMetadata, place: string): void {
  const [option, ms] =
    schedule.kind === 'cron'
      ? ['initialDelay', schedule.options.initialDelay ?? 0]
      : ['timeout', schedule.ms];
  if (!(Number(ms) > longestTimerMs)) return;
  throw new InvalidOptionError(
    String(option),
    `${ms} of ${place} is more than a timer can wait, ${longestTimerMs} ms (24.8 days): it would fire at once. Use @Cron, or an @Interval with the module's option distributed.`,
  );
}

function nameOf(schedule: ScheduleMetadata): string | undefined {
  return schedule.kind === 'cron' ? schedule.options.name : schedule.name;
}

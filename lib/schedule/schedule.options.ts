import type { ModuleMetadata, Type } from '@nestjs/common';
import type { ChronisOptions, JobOverride } from '../index.js';

/** What the module says of a method instead of its decorator: as for jobs of ChronisModule, and whether it is one. @publicApi */
export interface ScheduleOverride extends JobOverride {
  /** False: on a timer of every process, where only `schedule`, `timeZone` and `disabled` can be given; true: once in the cluster. */
  distributed?: boolean;
}

/** The options of ChronisModule, whose `overrides` can also say `distributed`. @publicApi */
export interface DistributedOptions extends Omit<ChronisOptions, 'overrides'> {
  /** By the names of the methods, else `ClassName.method`. */
  overrides?: Readonly<Record<string, ScheduleOverride>>;
}

/** Options of the ScheduleModule. @publicApi */
export interface ScheduleModuleOptions {
  /** Whether methods with `@Cron` are scheduled. @default true */
  cronJobs?: boolean;
  /** Whether methods with `@Interval` are scheduled. @default true */
  intervals?: boolean;
  /** Whether methods with `@Timeout` are scheduled. @default true */
  timeouts?: boolean;
  /**
   * Run crons, and intervals of a second or more, once in the cluster, except those that say `distributed: false`: the options of ChronisModule, such
   * as `{ storage: typeOrmStorage({ url }) }`. Without it everything is on timers of this process.
   */
  distributed?: DistributedOptions;
}

/** Makes the options of the module, for `useClass` and `useExisting`. @publicApi */
export interface ScheduleModuleOptionsFactory {
  createScheduleOptions(): Promise<ScheduleModuleOptions> | ScheduleModuleOptions;
}

/** One of `useFactory`, `useClass` and `useExisting`. @publicApi */
export interface ScheduleModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  useExisting?: Type<ScheduleModuleOptionsFactory>;
  useClass?: Type<ScheduleModuleOptionsFactory>;
  useFactory?: (...args: any[]) => Promise<ScheduleModuleOptions> | ScheduleModuleOptions;
  inject?: any[];
  /** Whether the options that are made may have `distributed`: the scheduler has to be part of the application before. @default false */
  distributed?: boolean;
}

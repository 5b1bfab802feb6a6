import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import {
  ChronisEvents,
  Clock,
  InvalidOptionError,
  JobDeclarations,
  LockAdapter,
  SchedulerService,
  StorageAdapter,
} from '../index.js';
import { ScheduleExplorer } from './schedule.explorer.js';
import type { ScheduleModuleOptions } from './schedule.options.js';
import { ScheduleRunner } from './schedule.runner.js';
import { scheduleOptions } from './schedule.tokens.js';
import { SchedulerRegistry } from './scheduler.registry.js';
import { StoredSchedules } from './stored.schedules.js';

const parts = [JobDeclarations, SchedulerService, ChronisEvents, StorageAdapter, LockAdapter, Clock];

/** What can be injected everywhere, and the hooks: global, so that jobs start and end when those of the original do. */
@Module({})
export class ScheduleCoreModule {
  /** `options` is the module that exports the options; `clustered`: the scheduler is part of the application. */
  static create(options: DynamicModule, clustered: boolean): DynamicModule {
    return {
      module: ScheduleCoreModule,
      global: true,
      imports: [DiscoveryModule, options],
      providers: [
        ScheduleExplorer,
        ScheduleRunner,
        SchedulerRegistry,
        {
          provide: StoredSchedules,
          inject: [scheduleOptions, SchedulerRegistry, ...(clustered ? parts : [])],
          useFactory: storedSchedules,
        },
      ],
      exports: [SchedulerRegistry],
    };
  }
}

/** Null: everything runs on timers of this process. */
function storedSchedules(
  { distributed }: ScheduleModuleOptions,
  registry: SchedulerRegistry,
  declarations?: JobDeclarations,
  scheduler?: SchedulerService,
  events?: ChronisEvents,
  storage?: StorageAdapter,
  lock?: LockAdapter,
  clock?: Clock,
): StoredSchedules | null {
  if (!distributed) return null;
  if (!declarations) {
    throw new InvalidOptionError(
      'distributed',
      'the scheduler has to be part of the application before the options are made: give distributed: true beside useFactory as well.',
    );
  }
  return new StoredSchedules(
    { declarations, scheduler: scheduler!, events: events!, storage: storage!, lock: lock!, clock: clock! },
    registry,
    distributed.timeZone,
  );
}

import { Module, type DynamicModule, type Provider } from '@nestjs/common';
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
import { SCHEDULE_MODULE_OPTIONS } from './schedule.constants.js';
import { SchedulerRegistry } from './scheduler.registry.js';
import { StoredSchedules } from './stored.schedules.js';

const parts = [JobDeclarations, SchedulerService, ChronisEvents, StorageAdapter, LockAdapter, Clock];

/** Everything but the options, where all runs on timers of this process unless the options say otherwise. */
export const localProviders: Provider[] = scheduling([]);

/** What can be injected everywhere, and the hooks, beside a scheduler: global, so that jobs start and end when those of the original do. */
@Module({})
export class ScheduleCoreModule {
  /** `options` is the module that exports the options. */
  static create(options: DynamicModule): DynamicModule {
    return {
      module: ScheduleCoreModule,
      global: true,
      imports: [DiscoveryModule, options],
      providers: scheduling(parts),
      exports: [SchedulerRegistry],
    };
  }
}

function scheduling(schedulerParts: typeof parts | []): Provider[] {
  const inject = [SCHEDULE_MODULE_OPTIONS, SchedulerRegistry, ...schedulerParts];
  return [
    ScheduleExplorer,
    ScheduleRunner,
    SchedulerRegistry,
    { provide: StoredSchedules, inject, useFactory: storedSchedules },
  ];
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

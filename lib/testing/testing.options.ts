import type { LogLevel, LoggerService, ModuleMetadata } from '@nestjs/common';
import type {
  AdapterInput,
  ChronisOptions,
  Clock,
  DurationInput,
  InjectionToken,
  InstantInput,
  StorageAdapter,
  TransactionSource,
} from '../index.js';
import type { ManualClock } from './manual.clock.js';

/** How the scheduler is tested. @publicApi */
export interface ChronisTestingModuleOptions {
  /** The clock, if it exists already. @default a new one */
  clock?: ManualClock;
  /** What time it is at first: a Date, epoch milliseconds, or text as `at` takes it, in UTC where it names neither offset nor zone. @default 2026-01-01T00:00:00Z */
  startAt?: InstantInput;
  /**
   * Where jobs live: `(clock) => typeOrmStorage({ url, schema, clock })`. The storage must take its time from the clock; its deadlines are
   * real. Called for each instance of the module. @default memory
   */
  storage?: (clock: Clock, instance: string) => AdapterInput<StorageAdapter>;
  /**
   * Where `context.transaction()` of handlers begins in memory: the application's own DataSource of a database in memory, by its token, or what stands in for one, such as
   * `{ transaction: (work) => work(manager) }`. @default none: it is refused, unless the call names one
   */
  dataSource?: TransactionSource | InjectionToken;
  /**
   * Begin with an empty storage: what an earlier test left is deleted, where tests have made it. false: with what is there, such as the jobs of an earlier
   * release. @default true
   */
  fresh?: boolean;
  /** What to change in the options of the application's `ChronisModule`, or those of the module that `create` adds. */
  chronis?: Omit<ChronisOptions, 'storage' | 'lock' | 'clock'>;
  /**
   * Real milliseconds without any progress after which a handler counts as hanging: one with a timeout has its time pass, another one is an
   * error. Or text such as '3 seconds'. @default 3,000
   */
  patienceMs?: DurationInput;
}

/** @publicApi */
export interface ChronisTestingOptions
  extends ChronisTestingModuleOptions, Pick<ModuleMetadata, 'imports' | 'providers' | 'controllers'> {
  /** Of the application. @default false */
  logger?: LoggerService | LogLevel[] | false;
}

export const testingKeys = [
  'clock',
  'startAt',
  'storage',
  'dataSource',
  'fresh',
  'chronis',
  'patienceMs',
] satisfies (keyof ChronisTestingModuleOptions)[];
export const applicationKeys = [
  'imports',
  'providers',
  'controllers',
  'logger',
] satisfies (keyof ChronisTestingOptions)[];

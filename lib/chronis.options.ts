import type { ModuleMetadata, Type } from '@nestjs/common';
import type { GapVerdict, Outcome } from './model/verdict.js';
import type { EventSelector, SelectedEvent, SelectedName } from './events/event.names.js';
import type { EventOrigin } from './events/event.origin.js';
import type { LogOptions } from './events/log.options.js';
import type { RedactOption } from './events/redactor.js';
import type { Calendars, DurationInput } from './model/trigger.js';
import type { JobOverrides } from './discovery/declaration.configuration.js';
import type { InterceptorInput } from './discovery/interceptor.resolver.js';
import type { OrphanPolicy } from './discovery/sync.plan.js';
import type { AdapterInput, InjectionToken } from './ports/adapter.recipe.js';
import type { Clock } from './ports/clock.js';
import type { LockAdapter } from './ports/lock.adapter.js';
import type { JoinableTransaction } from './ports/run.transaction.js';
import type { StorageAdapter } from './ports/storage.adapter.js';

/** How long the record is kept, by how attempts ended and why instants did not run. @publicApi */
export type LedgerRetention = { [Verdict in Outcome | GapVerdict]?: DurationInput } & {
  /** For those that are not named. @default '30d' */
  default?: DurationInput;
};

/** Listeners by the name of what they listen to, such as `failed`, `run.*` or `job.paused`. @publicApi */
export type EventListeners = {
  [S in EventSelector]?: (event: SelectedEvent<S>, origin: EventOrigin<SelectedName<S>>) => unknown;
};

/** Options of the module. Durations are milliseconds or text such as `'30s'`. @publicApi */
export interface ChronisOptions {
  /** Where jobs live: a recipe such as `typeOrmStorage({ url })`, or an instance. @default memory of this process */
  storage?: AdapterInput<StorageAdapter>;
  /** Guards the sync and the janitor: a recipe or an instance. @default the storage's own */
  lock?: AdapterInput<LockAdapter>;
  /**
   * Whose jobs and handlers these are: jobs are run by processes of their app only. Applications that share a database need different names.
   * @default 'default'
   */
  app?: string;
  /** Of this instance, for people. @default host:pid */
  name?: string;
  /** The queues whose jobs this process runs. @default ['default'] */
  queues?: string[];
  /** How often to look without being told: 100 ms to 1 min. @default '5s' */
  pollMs?: DurationInput;
  /**
   * How long before they are due the next jobs of schedules are read, and at most how long before that they are fired and claimed, which is done as early as it takes,
   * so that only their start is left to do at the instant. Nothing starts early, and what is changed meanwhile counts. At most 2 s; 0: all of it when
   * they are due. @default '1s'
   */
  lookAheadMs?: DurationInput;
  /** How long a process that died keeps its runs: 1 s to 1 h; renewed every third of it. @default '30s' */
  leaseMs?: DurationInput;
  /**
   * How long a handler may block the event loop before the process counts as hung: until then a thread renews the lease (SQL storages
   * only). At most 1 h; 0: no thread. @default '5m'
   */
  maxBlockedMs?: DurationInput;
  /** Runs at a time in this process, 1 to 10,000. @default 10 */
  concurrency?: number;
  /** Begin to run jobs at bootstrap. False: this process makes and reads jobs, and others run them, until it calls `SchedulerService.start()`. @default true */
  autoStart?: boolean;
  /**
   * Whether a process with `autoStart: false` stores jobs that its code declares and that are not there yet, so that they are known before the first worker comes. It changes none, and
   * until a worker declares it, such a job does not fire. @default true
   */
  syncDeclarations?: boolean;
  /**
   * Create jobs even if no worker has had their handler yet, unless they say otherwise. A handler that a worker has had once, and in a process with `autoStart: false` a reference by
   * `defineJob` or `handlerOf`, is accepted anyway. @default false
   */
  allowUnknownHandler?: boolean;
  /** The zone of schedules that name none: an IANA name. @default 'UTC' */
  timeZone?: string;
  /** Exclusions under names that schedules refer to by `exclude: [{ calendar: 'name' }]`, such as public holidays. @default none */
  calendars?: Calendars;
  /** How long `app.close()` waits for running handlers, at most 1 h; up to two seconds more for the verdicts of those that do not heed their signal. @default '25s' */
  shutdownTimeoutMs?: DurationInput;
  /** Time for a handler to react to its AbortSignal, also within the shutdown. @default '5s', at most half of shutdownTimeoutMs */
  abortGraceMs?: DurationInput;
  /** The largest payload and metadata of a job, in bytes of JSON: 1 to 100 MiB. @default 1 MiB */
  payloadLimit?: number;
  /**
   * How long the record of attempts and gaps is kept: at least 1 min. Or for each outcome and verdict, such as
   * `{ default: '30d', succeeded: '7d', failed: '90d' }`. Of several apps on one schema the longest holds for all. @default '30d'
   */
  keepLedger?: DurationInput | LedgerRetention;
  /**
   * How long the history keeps workflows and definitions from when they are pruned on: at least 1 min, or `'none'`: there is no history, and what there is goes. Of several apps on one schema the longest holds for all. PostgreSQL only: memory keeps none.
   * @default '90d'
   */
  keepHistory?: DurationInput;
  /** How long is kept who has asked for what (`withActor`): at least 1 min. Of several apps on one schema the longest holds for all. @default '90d' */
  keepAudit?: DurationInput;
  /**
   * Whether this process takes its turn in counting runs by minute, hour and day out of the ledger, for `SchedulerService.getStatistics()`: one of all processes that have it counts, once a minute. Needs `keepLedger` of at least an hour for
   * all outcomes. @default false
   */
  statistics?: boolean;
  /** How long a job, a handler, a queue, a namespace or everything may be paused without an `until` until it is told that the pause may have been forgotten (`pause.stale`, `health()`): at least 1 min, or `'never'`. @default '7d' */
  pausedTooLong?: DurationInput;
  /** Names that the app had before: it takes over the jobs that their code declared, and those made at run time as soon as no process of that app lives. Remove them when none of those is left. @default none */
  previousApps?: readonly string[];
  /** Jobs that no code declares any more do not fire; `delete` also deletes them, ten minutes later at the earliest. @default 'keep' */
  orphans?: OrphanPolicy;
  /**
   * Gives the transaction that the caller is in, if any: calls of SchedulerService then are part of it without saying so. For libraries that keep it in
   * AsyncLocalStorage. @default none
   */
  transactionContext?: () => JoinableTransaction | null | undefined;
  /**
   * Called for the events of this process: `{ failed: (run) => …, 'job.paused': (job) => … }`. What a listener throws becomes the event
   * `listener.failed` and affects no run. @default none
   */
  on?: EventListeners;
  /** What is written to Nest's logger, and how: false for nothing, `{ format: 'json' }` for machines. @default true: sentences */
  log?: boolean | LogOptions;
  /**
   * What is hidden of what is shown (`***`), beside values of keys such as `password`, `token`, `secret`, `apiKey`, `authorization` and `cookie`: in lines of the log, logs of runs, the REST API, alerts, pings and traces. Names of keys, a
   * function, or both; what is stored stays as it is, and handlers and listeners get it so. @default nothing else
   */
  redact?: RedactOption;
  /**
   * Tells other instances on the same storage of the events of this one, and hears theirs: true for those of runs and jobs, or which. Best effort. Listeners
   * get events of others only with `remote: true`; an empty list only hears. @default false
   */
  shareEvents?: boolean | EventSelector | readonly EventSelector[];
  /**
   * Stand around every execution of every handler, the first one outermost: instances, or classes that some module provides. @default none
   */
  interceptors?: readonly InterceptorInput[];
  /**
   * Whether guards, interceptors and exception filters of Nest are applied to handlers that are methods, global ones included. Decorators may say otherwise.
   * @default false
   */
  useEnhancers?: boolean;
  /**
   * Other options for jobs that the code declares, by their ids: `{ 'daily-report': { schedule: config.reportCron, disabled: config.isPreview } }`. An id that
   * nothing declares is an error. @default none
   */
  overrides?: JobOverrides;
  /** The source of time; for tests, with the storage's clock the same. @default the real one */
  clock?: Clock;
}

/** Options that decide how the module is built. @publicApi */
export interface ChronisModuleOptions extends ChronisOptions {
  /**
   * The name of this one among several ChronisModules of an application; what it exports is injected by `@InjectScheduler(name)` and
   * `@InjectChronisEvents(name)`, and decorators name it. @default 'default'
   */
  instance?: string;
  /** Whether SchedulerService and ChronisEvents can be injected everywhere. @default true */
  isGlobal?: boolean;
}

/** Makes the options of the module, for `useClass` and `useExisting`. @publicApi */
export interface ChronisOptionsFactory {
  createChronisOptions(): ChronisOptions | Promise<ChronisOptions>;
}

/** One of `useFactory`, `useClass` and `useExisting`. @publicApi */
export interface ChronisModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /** @default 'default' */
  instance?: string;
  /** @default true */
  isGlobal?: boolean;
  /** What `useFactory` takes. */
  inject?: (InjectionToken | { token: InjectionToken; optional: boolean })[];
  useFactory?: (...dependencies: any[]) => ChronisOptions | Promise<ChronisOptions>;
  useClass?: Type<ChronisOptionsFactory>;
  useExisting?: InjectionToken;
}

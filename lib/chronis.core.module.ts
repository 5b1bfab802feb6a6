import { Logger, Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import {
  DiscoveryModule,
  DiscoveryService,
  ExternalContextCreator,
  MetadataScanner,
  ModuleRef,
} from '@nestjs/core';
import { openLock, openStorage } from './chronis.adapters.js';
import { ChronisCore } from './chronis.core.js';
import { ChronisOverride, settingsUnder } from './chronis.override.js';
import { chronisSettings, type ChronisSettings } from './chronis.settings.js';
import { JobDeclarations } from './discovery/job.declarations.js';
import { EventSubscriber } from './discovery/event.subscriber.js';
import { JobExplorer } from './discovery/job.explorer.js';
import { JobSynchronizer } from './discovery/job.synchronizer.js';
import { DeclarationConfiguration } from './discovery/declaration.configuration.js';
import { MethodCalls } from './discovery/method.calls.js';
import { RUN_CONTEXT, runContextProvider } from './discovery/run.context.injection.js';
import { Engine } from './engine/engine.js';
import { HandlerSurroundings } from './engine/chronis.interceptor.js';
import { EventSharer } from './engine/event.sharer.js';
import { HandlerRegistry } from './engine/handler.registry.js';
import type { RunLogger } from './engine/run.context.js';
import { ChronisEvents } from './events/chronis.events.js';
import { logEvents } from './events/event.logger.js';
import { Clock } from './ports/clock.js';
import { LockAdapter } from './ports/lock.adapter.js';
import { StorageAdapter } from './ports/storage.adapter.js';
import type { JobDefaults } from './scheduler/job.definition.js';
import { HandlerDirectory } from './scheduler/handler.directory.js';
import { BulkChanges } from './scheduler/bulk.changes.js';
import { BulkCreator } from './scheduler/bulk.creator.js';
import { DeadLetters } from './scheduler/dead.letters.js';
import { JobCreator } from './scheduler/job.creator.js';
import { JobUpdater } from './scheduler/job.updater.js';
import { Pauses } from './scheduler/pauses.js';
import { RunWaiter } from './scheduler/run.waiter.js';
import { SchedulerLifecycle } from './scheduler/scheduler.lifecycle.js';
import { SchedulerService } from './scheduler/scheduler.service.js';
import { StorageNow } from './scheduler/storage.now.js';
import { TransactionJoiner } from './scheduler/transaction.joiner.js';

/** The token of the options as they were given. */
export const chronisOptions = Symbol('chronisOptions');

const override = { token: ChronisOverride, optional: true };

const providers: Provider[] = [
  {
    provide: chronisSettings,
    inject: [chronisOptions, override],
    useFactory: settingsUnder,
  },
  { provide: Clock, inject: [chronisSettings], useFactory: ({ clock }: ChronisSettings) => clock },
  { provide: ChronisEvents, inject: [chronisSettings, override], useFactory: makeEvents },
  { provide: StorageAdapter, inject: [chronisSettings, ModuleRef], useFactory: openStorage },
  { provide: LockAdapter, inject: [chronisSettings, ModuleRef, StorageAdapter], useFactory: openLock },
  HandlerSurroundings,
  runContextProvider,
  {
    provide: HandlerRegistry,
    inject: [HandlerSurroundings],
    useFactory: (surroundings: HandlerSurroundings) => new HandlerRegistry(surroundings),
  },
  {
    provide: Engine,
    inject: [StorageAdapter, LockAdapter, HandlerRegistry, ChronisEvents, chronisSettings],
    useFactory: makeEngine,
  },
  {
    provide: JobExplorer,
    inject: [DiscoveryService, MetadataScanner, chronisSettings, StorageAdapter, ExternalContextCreator],
    useFactory: makeExplorer,
  },
  {
    provide: EventSharer,
    inject: [StorageAdapter, ChronisEvents, chronisSettings],
    useFactory: (storage: StorageAdapter, events: ChronisEvents, settings: ChronisSettings) =>
      new EventSharer(storage, events, settings.engine.name, settings.sharedEvents),
  },
  {
    provide: EventSubscriber,
    inject: [DiscoveryService, MetadataScanner, ChronisEvents],
    useFactory: (discovery: DiscoveryService, scanner: MetadataScanner, events: ChronisEvents) =>
      new EventSubscriber(discovery, scanner, events),
  },
  {
    provide: JobSynchronizer,
    inject: [StorageAdapter, LockAdapter, ChronisEvents, Engine, JobExplorer, chronisSettings],
    useFactory: makeSynchronizer,
  },
  {
    provide: SchedulerLifecycle,
    inject: [Engine, JobSynchronizer, StorageAdapter, ChronisEvents, HandlerRegistry, chronisSettings],
    useFactory: makeLifecycle,
  },
  {
    provide: JobDeclarations,
    inject: [JobExplorer, HandlerRegistry, SchedulerLifecycle, StorageAdapter, chronisSettings],
    useFactory: makeDeclarations,
  },
  {
    provide: SchedulerService,
    inject: [StorageAdapter, Engine, HandlerRegistry, ChronisEvents, SchedulerLifecycle, chronisSettings],
    useFactory: makeScheduler,
  },
  ChronisCore,
];

/** Everything that can be injected. Global unless told otherwise; has no part in when jobs run. */
@Module({})
export class ChronisCoreModule {
  static create(
    options: readonly Provider[],
    isGlobal: boolean,
    imports: NonNullable<ModuleMetadata['imports']> = [],
  ): DynamicModule {
    return {
      module: ChronisCoreModule,
      global: isGlobal,
      imports: [DiscoveryModule, ...imports],
      providers: [...options, ...providers],
      exports: [
        SchedulerService,
        JobDeclarations,
        ChronisEvents,
        StorageAdapter,
        LockAdapter,
        Clock,
        RUN_CONTEXT,
        SchedulerLifecycle,
        ChronisCore,
        chronisSettings,
      ],
    };
  }
}

function makeEvents(
  { clock, engine: { name }, listeners }: ChronisSettings,
  override?: ChronisOverride,
): ChronisEvents {
  const events = new ChronisEvents(name, () => clock.now());
  logEvents(events);
  override?.observe(events);
  for (const { names, listener } of listeners) for (const each of names) events.on(each, listener);
  return events;
}

function makeEngine(
  storage: StorageAdapter,
  lock: LockAdapter,
  handlers: HandlerRegistry,
  events: ChronisEvents,
  { clock, engine }: ChronisSettings,
): Engine {
  const loggers = new Map<string, RunLogger>();
  const logger = (handler: string): RunLogger => {
    let known = loggers.get(handler);
    if (!known) loggers.set(handler, (known = new Logger(handler)));
    return known;
  };
  return new Engine({ storage, lock, clock, handlers, events, logger }, engine);
}

function makeExplorer(
  discovery: DiscoveryService,
  scanner: MetadataScanner,
  settings: ChronisSettings,
  storage: StorageAdapter,
  creator: ExternalContextCreator,
): JobExplorer {
  const calls = new MethodCalls(creator, settings.useEnhancers);
  const configuration = new DeclarationConfiguration(settings.overrides);
  const defaults = defaultsOf(settings, storage);
  return new JobExplorer(discovery, scanner, settings.clock, defaults, calls, configuration);
}

function makeSynchronizer(
  storage: StorageAdapter,
  lock: LockAdapter,
  events: ChronisEvents,
  engine: Engine,
  explorer: JobExplorer,
  { clock, orphans, engine: { app, orphanGraceMs, calendars } }: ChronisSettings,
): JobSynchronizer {
  return new JobSynchronizer(
    {
      storage,
      lock,
      clock,
      events,
      explore: () => explorer.explore(),
      workerId: () => engine.workerId,
      onChange: () => engine.wake(),
    },
    { app, orphans, orphanGraceMs, calendars },
  );
}

function makeLifecycle(
  engine: Engine,
  synchronizer: JobSynchronizer,
  storage: StorageAdapter,
  events: ChronisEvents,
  handlers: HandlerRegistry,
  { engine: { name, app, queues, concurrency }, timeZone }: ChronisSettings,
): SchedulerLifecycle {
  const about = { name, app, storage: storage.kind, timeZone, queues, concurrency };
  return new SchedulerLifecycle({ engine, synchronizer, storage, events, handlers }, about);
}

function makeDeclarations(
  explorer: JobExplorer,
  handlers: HandlerRegistry,
  lifecycle: SchedulerLifecycle,
  storage: StorageAdapter,
  settings: ChronisSettings,
): JobDeclarations {
  const { clock } = settings;
  const defaults = defaultsOf(settings, storage);
  return new JobDeclarations({ explorer, handlers, clock, defaults, running: () => lifecycle.running });
}

function makeScheduler(
  storage: StorageAdapter,
  engine: Engine,
  handlers: HandlerRegistry,
  events: ChronisEvents,
  lifecycle: SchedulerLifecycle,
  settings: ChronisSettings,
): SchedulerService {
  const { clock } = settings;
  const defaults = defaultsOf(settings, storage);
  const time = new StorageNow(storage, clock);
  const directory = new HandlerDirectory(handlers, storage, clock);
  const creator = new JobCreator(defaults, directory, time);
  const updater = new JobUpdater(defaults, directory, time);
  const transactions = new TransactionJoiner(storage, engine, settings.transactionContext);
  const { calendars } = defaults;
  const pauses = new Pauses(calendars);
  return new SchedulerService({
    transactions,
    engine,
    handlers,
    creator,
    bulkCreator: new BulkCreator(creator, time),
    bulkChanges: new BulkChanges(calendars),
    waiter: new RunWaiter(storage, events, clock),
    time,
    updater,
    deadLetters: new DeadLetters(),
    pauses,
    lifecycle,
    calendars,
  });
}

function defaultsOf(settings: ChronisSettings, storage: StorageAdapter): JobDefaults {
  const { timeZone, payloadLimit, engine } = settings;
  return { timeZone, payloadLimit, calendars: engine.calendars, stored: storage.shared };
}

import { Logger } from '@nestjs/common';
import {
  DiscoveryService,
  ExternalContextCreator,
  MetadataScanner,
  ModuleRef,
  ModulesContainer,
} from '@nestjs/core';
import { openStorage } from './chronis.adapters.js';
import { assertLoadedAtBoot, chronisInstance } from './chronis.instances.js';
import type { ChronisOptions } from './chronis.options.js';
import { syncRulesOf, withLists } from './chronis.synchronizing.js';
import { CodeDefinitions } from './definitions/code.definitions.js';
import { DefinitionService } from './definitions/definition.service.js';
import { opensDefined } from './definitions/workflow.definition.js';
import { CodeRegistrar } from './discovery/code.registrar.js';
import type { Exploration } from './discovery/declared.job.js';
import { DeployPlanner } from './discovery/deploy.planner.js';
import { EventSubscriber } from './discovery/event.subscriber.js';
import { ForeignSchedules } from './discovery/foreign.schedules.js';
import { defaultInstance } from './discovery/instance.names.js';
import { overrideIn, settingsUnder, type ChronisOverride } from './chronis.override.js';
import { type ChronisSettings } from './chronis.settings.js';
import { JobDeclarations } from './discovery/job.declarations.js';
import { JobExplorer } from './discovery/job.explorer.js';
import type { JobLists } from './discovery/job.lists.js';
import { ListedJobs, type ListedJobParts } from './discovery/listed.job.js';
import type { JobSynchronizer } from './discovery/job.synchronizer.js';
import type { MissingJobs } from './discovery/missing.jobs.js';
import { DeclarationConfiguration } from './discovery/declaration.configuration.js';
import { UnservedDeclarations } from './discovery/unserved.declarations.js';
import { unknownCallbacks } from './discovery/unknown.callbacks.js';
import { LazyModules } from './discovery/lazy.modules.js';
import { MethodCalls } from './discovery/method.calls.js';
import { Engine } from './engine/engine.js';
import { openingRules } from './engine/flow.opening.js';
import { GuardedClock } from './engine/guarded.clock.js';
import { HandlerRegistry } from './engine/handler.registry.js';
import type { Tracing } from './engine/tracing.js';
import { workflowHandler } from './engine/own.handlers.js';
import type { HandlerLogger } from './engine/run.context.js';
import { ChronisEvents } from './events/chronis.events.js';
import { loadedCopies } from './events/copies.js';
import { logEvents } from './events/event.logger.js';
import { LockAdapter } from './ports/lock.adapter.js';
import { StorageAdapter } from './ports/storage.adapter.js';
import type { JobDefaults } from './scheduler/job.definition.js';
import { pauseFailing } from './engine/circuit.js';
import { hearRunEnds } from './engine/run.teller.js';
import { HandlerDirectory } from './scheduler/handler.directory.js';
import { HandlerWithdrawals } from './scheduler/handler.withdrawals.js';
import { BulkChanges } from './scheduler/bulk.changes.js';
import { BulkCreator } from './scheduler/bulk.creator.js';
import { DeadLetters } from './scheduler/dead.letters.js';
import { JobCreator } from './scheduler/job.creator.js';
import { JobUpdater } from './scheduler/job.updater.js';
import { PauseOrders } from './scheduler/pause.orders.js';
import { pauseEndPlans, Pauses } from './scheduler/pauses.js';
import { HealthCheck } from './scheduler/scheduler.health.js';
import { RunSignals } from './scheduler/run.signals.js';
import { OpenRuns } from './scheduler/open.runs.js';
import { RunWaiter } from './scheduler/run.waiter.js';
import { SchedulerLifecycle } from './scheduler/scheduler.lifecycle.js';
import { AheadNotice } from './scheduler/ahead.notice.js';
import { startNotices } from './scheduler/start.notices.js';
import { SchedulerService, type SchedulerParts } from './scheduler/scheduler.service.js';
import { StorageNow } from './scheduler/storage.now.js';
import { TransactionJoiner } from './scheduler/transaction.joiner.js';
import { addingSteps } from './workflows/added.steps.js';
import type { WorkflowRegistry } from './workflows/workflow.registry.js';
import { WorkflowService } from './workflows/workflow.service.js';

// How the parts of the core are put together; each one is the useFactory of a provider.

/** Throws InvalidOptionError where the module is loaded lazily, before anything is opened. */
export function makeSettings(
  given: ChronisOptions,
  instance: string,
  override: ChronisOverride | undefined,
  modules: ModulesContainer,
  moduleRef: ModuleRef,
): ChronisSettings {
  assertLoadedAtBoot(modules, moduleRef);
  return settingsUnder(given, instance, override);
}

export function makeEvents(
  { clock, engine: { name }, listeners, log, redactor }: ChronisSettings,
  instance: string,
  override?: ChronisOverride,
): ChronisEvents {
  const events = new ChronisEvents(name, () => clock.now());
  if (clock instanceof GuardedClock)
    clock.tellBy((part, error) => events.emit('engine.failed', { part, error }));
  const context = instance === defaultInstance ? 'Chronis' : `Chronis ${instance}`;
  if (log !== null) logEvents(events, log, context, redactor);
  overrideIn(override)?.observe(events);
  for (const { names, listener } of listeners) for (const each of names) events.on(each, listener);
  const places = loadedCopies();
  // Before anything is injected that may not be found.
  if (places.length > 1 && instance === defaultInstance) events.emit('package.copies', { places });
  return events;
}

export function makeStorage(
  settings: ChronisSettings,
  moduleRef: ModuleRef,
  events: ChronisEvents,
  discovery: DiscoveryService,
  scanner: MetadataScanner,
  creator: ExternalContextCreator,
  instance: string,
  modules: ModulesContainer,
): Promise<StorageAdapter> {
  // One of its own: what this one has seen of the configuration says nothing about what is found later.
  return openStorage(settings, moduleRef, events, () =>
    makeExplorer(discovery, scanner, settings, creator, instance, modules).assertClasses(),
  );
}

export function makeEngine(
  storage: StorageAdapter,
  lock: LockAdapter,
  handlers: HandlerRegistry,
  events: ChronisEvents,
  { clock, engine, redactor, allowUnknownHandler: allowsUnknown }: ChronisSettings,
  tracing: Tracing,
): Engine {
  const loggers = new Map<string, HandlerLogger>();
  const logger = (handler: string): HandlerLogger => {
    let known = loggers.get(handler);
    if (!known) loggers.set(handler, (known = new Logger(handler)));
    return known;
  };
  const { app } = engine;
  const directory = new HandlerDirectory({ local: handlers, app, storage, works: () => true, allowsUnknown });
  const addedSteps = addingSteps(directory, storage);
  const pauseEnds = pauseEndPlans(engine.calendars);
  const parts = { storage, lock, clock, handlers, events, logger, redactor, tracing, addedSteps, pauseEnds };
  return new Engine(parts, engine);
}

export function makeSubscriber(
  discovery: DiscoveryService,
  scanner: MetadataScanner,
  events: ChronisEvents,
  instance: string,
  modules: ModulesContainer,
  lazy: LazyModules,
): EventSubscriber {
  return new EventSubscriber(discovery, scanner, events, instance, () => instancesOf(modules), lazy);
}

/** The names of all instances of the application. */
export function instancesOf(modules: ModulesContainer): string[] {
  return [...modules.values()]
    .map((module) => module.providers.get(chronisInstance)?.instance as string | undefined)
    .filter((name) => name !== undefined);
}

export function makeExplorer(
  discovery: DiscoveryService,
  scanner: MetadataScanner,
  settings: ChronisSettings,
  creator: ExternalContextCreator,
  instance: string,
  modules: ModulesContainer,
  lazy?: LazyModules,
): JobExplorer {
  const calls = new MethodCalls(creator, settings.useEnhancers);
  const configuration = new DeclarationConfiguration(settings.overrides);
  const defaults = defaultsOf(settings);
  const { clock } = settings;
  const known = (): string[] => instancesOf(modules);
  return new JobExplorer({
    discovery,
    scanner,
    clock,
    defaults,
    calls,
    configuration,
    instance,
    known,
    lazy,
  });
}

export function makeLifecycle(
  engine: Engine,
  synchronizer: JobSynchronizer,
  missingJobs: MissingJobs,
  storage: StorageAdapter,
  events: ChronisEvents,
  handlers: HandlerRegistry,
  explorer: JobExplorer,
  withdrawals: HandlerWithdrawals,
  settings: ChronisSettings,
  workflows: WorkflowRegistry,
  lists: JobLists,
): SchedulerLifecycle {
  const { timeZone, clock } = settings;
  const { name, app, queues, concurrency, calendars } = settings.engine;
  const about = { name, app, storage: storage.kind, timeZone, queues, concurrency };
  const directory = directoryOf(settings, handlers, storage, engine);
  const callbacks = async () => {
    const { jobs } = explorer.explore();
    const unknown = unknownCallbacks(jobs, new Set(handlers.names()));
    // Only then others are asked.
    return unknown.length === 0 ? [] : unknownCallbacks(jobs, await directory.known());
  };
  const parts = {
    engine,
    synchronizer,
    missingJobs,
    storage,
    events,
    handlers,
    withdrawals,
    lists,
    notices: [
      startNotices({
        ...{ storage, clock, events },
        own: () => ({
          ...{ app, queues, handlers: handlers.names(), offered: handlers.offered() },
          declares: explorer.explore().jobs.length > 0,
        }),
      }),
      new AheadNotice({ ...{ storage, clock, events, app, calendars } }),
      new UnservedDeclarations({
        ...{ storage, clock, events, app, queues },
        explore: () => explorer.explore(),
      }),
    ],
    definitions: new CodeDefinitions(workflows, storage, events, app),
    unknownCallbacks: callbacks,
  };
  return new SchedulerLifecycle(parts, about);
}

export function makeRegistrar(
  explorer: JobExplorer,
  subscriber: EventSubscriber,
  handlers: HandlerRegistry,
  events: ChronisEvents,
  storage: StorageAdapter,
  lifecycle: SchedulerLifecycle,
  lazy: LazyModules,
  discovery: DiscoveryService,
  scanner: MetadataScanner,
  modules: ModulesContainer,
  instance: string,
  workflows: WorkflowRegistry,
): CodeRegistrar {
  const onMoreJobs = (): void => lifecycle.follow();
  const isTold = instance === defaultInstance;
  const foreign = isTold ? new ForeignSchedules(discovery, scanner, modules, lazy) : null;
  const parts = { explorer, subscriber, handlers, workflows, events, storage, lazy, foreign, onMoreJobs };
  return new CodeRegistrar(parts);
}

export function makeWithdrawals(
  handlers: HandlerRegistry,
  storage: StorageAdapter,
  events: ChronisEvents,
  engine: Engine,
  { clock, engine: { app, queues, calendars, shutdownTimeoutMs } }: ChronisSettings,
): HandlerWithdrawals {
  const workerId = (): string | null => engine.workerId;
  const parts = { handlers, storage, clock, events, calendars, app, queues, workerId };
  return new HandlerWithdrawals({ ...parts, shutdownTimeoutMs });
}

export function makeDeclarations(
  explorer: JobExplorer,
  handlers: HandlerRegistry,
  lifecycle: SchedulerLifecycle,
  settings: ChronisSettings,
  lists: JobLists,
  { storage, directory, defaults }: ServiceParts,
  workflows: WorkflowRegistry,
): JobDeclarations {
  const { clock } = settings;
  const declared = () => explorer.explore().jobs;
  const ofOthers: ListedJobParts['ofOthers'] = (ref, list) => lists.ofOthers(ref, list);
  const listed = new ListedJobs({ directory, defaults, clock, storage, declared, ofOthers });
  const [running, onChange] = [() => lifecycle.running, () => lifecycle.renew()];
  const explore = (): Exploration => withLists(explorer.explore(), lists.jobs);
  const rules = syncRulesOf(settings, lists);
  const planner = new DeployPlanner({
    ...{ storage, explore, workflows, rules, lists, running },
    handlers: () => handlers.offered(),
  });
  return new JobDeclarations({
    explorer,
    handlers,
    clock,
    defaults,
    lists,
    listed,
    running,
    onChange,
    planner,
  });
}

/** The token of what the services have in common. */
export const serviceParts = Symbol('serviceParts');

/** What the services have in common: one of each, as transactions and times are known to it. */
export interface ServiceParts extends SchedulerParts {
  storage: StorageAdapter;
  directory: HandlerDirectory;
  defaults: JobDefaults;
  previousApps: readonly string[];
  keepsHistory: boolean;
}

export function makeServiceParts(
  storage: StorageAdapter,
  engine: Engine,
  handlers: HandlerRegistry,
  events: ChronisEvents,
  lifecycle: SchedulerLifecycle,
  withdrawals: HandlerWithdrawals,
  settings: ChronisSettings,
  lists: JobLists,
  tracing: Tracing,
): ServiceParts {
  const { clock } = settings;
  const defaults = defaultsOf(settings);
  const time = new StorageNow(storage, clock);
  const directory = directoryOf(settings, handlers, storage, engine);
  const creator = new JobCreator(defaults, directory, time, tracing);
  const updater = new JobUpdater(defaults, directory, time);
  const transactions = new TransactionJoiner(storage, engine, settings.transactionContext, time);
  const { calendars } = defaults;
  const pauseOrders = new PauseOrders(storage, time, settings.timeZone);
  const pauses = new Pauses(calendars, pauseOrders);
  hearRunEnds(storage, events, (jobs) => void pauseFailing(jobs, storage, events));
  return {
    storage,
    directory,
    defaults,
    previousApps: settings.previousApps,
    keepsHistory: (settings.engine.retention.historyMs ?? 0) > 0,
    transactions,
    engine,
    handlers,
    withdrawals,
    creator,
    bulkCreator: new BulkCreator(creator, time),
    bulkChanges: new BulkChanges(calendars, settings.timeZone, pauseOrders),
    waiter: new RunWaiter(storage, events, clock),
    time,
    updater,
    deadLetters: new DeadLetters(settings.timeZone, engine, tracing),
    openRuns: new OpenRuns(clock, handlers, events),
    signals: new RunSignals(settings.payloadLimit),
    pauses,
    pauseOrders,
    lifecycle,
    health: new HealthCheck({
      engine,
      storage,
      clock,
      app: settings.engine.app,
      leaseMs: settings.engine.leaseMs,
      calendars,
      pausedTooLongMs: settings.engine.pausedTooLongMs,
      warnings: () => lists.warnings(),
    }),
    calendars,
    timeZone: settings.timeZone,
    retention: settings.engine.retention,
  };
}

export function makeDefinitions(parts: ServiceParts): DefinitionService {
  const { storage, handlers } = parts;
  // Whoever has it ends manual steps at their deadlines, also where there are no definitions.
  if (storage.flows !== undefined) handlers.registerOwn(workflowHandler, opensDefined(storage), openingRules);
  return new DefinitionService(parts);
}

export function makeScheduler(parts: ServiceParts): SchedulerService {
  return new SchedulerService(parts);
}

export function makeWorkflows(parts: ServiceParts, registry: WorkflowRegistry): WorkflowService {
  return new WorkflowService({ ...parts, app: parts.directory.app, registry });
}

function directoryOf(
  { autoStart, allowUnknownHandler: allowsUnknown, engine: { app } }: ChronisSettings,
  local: HandlerRegistry,
  storage: StorageAdapter,
  engine: Engine,
): HandlerDirectory {
  const works = (): boolean => autoStart || engine.running;
  return new HandlerDirectory({ local, app, storage, works, allowsUnknown });
}

function defaultsOf(settings: ChronisSettings): JobDefaults {
  const { timeZone, payloadLimit, engine } = settings;
  return { timeZone, payloadLimit, calendars: engine.calendars };
}

import {
  Module,
  type DynamicModule,
  type ModuleMetadata,
  type FactoryProvider,
  type Provider,
} from '@nestjs/common';
import {
  DiscoveryModule,
  DiscoveryService,
  ExternalContextCreator,
  LazyModuleLoader,
  MetadataScanner,
  ModuleRef,
  ModulesContainer,
} from '@nestjs/core';
import { openLock } from './chronis.adapters.js';
import { ChronisCore } from './chronis.core.js';
import { chronisInstance, providerIn, publicParts, tokenIn } from './chronis.instances.js';
import { ChronisOverride } from './chronis.override.js';
import { chronisSettings, type ChronisSettings } from './chronis.settings.js';
import { ChronisStopper } from './chronis.stopper.js';
import { DefinitionService } from './definitions/definition.service.js';
import { CodeRegistrar } from './discovery/code.registrar.js';
import { JobDeclarations } from './discovery/job.declarations.js';
import { EventSubscriber } from './discovery/event.subscriber.js';
import { JobExplorer } from './discovery/job.explorer.js';
import { JobLists } from './discovery/job.lists.js';
import { JobSynchronizer } from './discovery/job.synchronizer.js';
import { MissingJobs } from './discovery/missing.jobs.js';
import { LazyModules } from './discovery/lazy.modules.js';
import { RUN_CONTEXT, runContextProvider } from './discovery/run.context.injection.js';
import { Engine } from './engine/engine.js';
import { HandlerSurroundings } from './engine/chronis.interceptor.js';
import { EventSharer } from './engine/event.sharer.js';
import { HandlerRegistry } from './engine/handler.registry.js';
import { Tracing } from './engine/tracing.js';
import { ChronisEvents } from './events/chronis.events.js';
import { Redactor } from './events/redactor.js';
import { Clock } from './ports/clock.js';
import { LockAdapter } from './ports/lock.adapter.js';
import { StorageAdapter } from './ports/storage.adapter.js';
import { HandlerWithdrawals } from './scheduler/handler.withdrawals.js';
import { SchedulerLifecycle } from './scheduler/scheduler.lifecycle.js';
import { SchedulerService } from './scheduler/scheduler.service.js';
import { WorkflowRegistry } from './workflows/workflow.registry.js';
import { WorkflowService } from './workflows/workflow.service.js';
import {
  makeSettings,
  makeStorage,
  makeSubscriber,
  makeEvents,
  makeEngine,
  makeExplorer,
  makeLifecycle,
  makeDeclarations,
  makeRegistrar,
  makeWithdrawals,
  makeDefinitions,
  makeScheduler,
  makeServiceParts,
  makeWorkflows,
  serviceParts,
} from './chronis.factories.js';
import { makeMissingJobs, makeSynchronizer } from './chronis.synchronizing.js';

/** The token of the options as they were given. */
export const chronisOptions = Symbol('chronisOptions');

const override = { token: ChronisOverride, optional: true };

const providers: FactoryProvider[] = [
  {
    provide: chronisSettings,
    inject: [chronisOptions, chronisInstance, override, ModulesContainer, ModuleRef],
    useFactory: makeSettings,
  },
  {
    provide: Redactor,
    inject: [chronisSettings],
    useFactory: ({ redactor }: ChronisSettings) => redactor,
  },
  { provide: Clock, inject: [chronisSettings], useFactory: ({ clock }: ChronisSettings) => clock },
  { provide: ChronisEvents, inject: [chronisSettings, chronisInstance, override], useFactory: makeEvents },
  {
    provide: StorageAdapter,
    inject: [
      chronisSettings,
      ModuleRef,
      ChronisEvents,
      DiscoveryService,
      MetadataScanner,
      ExternalContextCreator,
      chronisInstance,
      ModulesContainer,
    ],
    useFactory: makeStorage,
  },
  { provide: LockAdapter, inject: [chronisSettings, ModuleRef, StorageAdapter], useFactory: openLock },
  { provide: Tracing, useFactory: () => new Tracing() },
  { provide: HandlerSurroundings, useFactory: () => new HandlerSurroundings() },
  {
    provide: HandlerRegistry,
    inject: [HandlerSurroundings],
    useFactory: (surroundings: HandlerSurroundings) => new HandlerRegistry(surroundings),
  },
  {
    provide: Engine,
    inject: [StorageAdapter, LockAdapter, HandlerRegistry, ChronisEvents, chronisSettings, Tracing],
    useFactory: makeEngine,
  },
  {
    provide: LazyModules,
    inject: [LazyModuleLoader, ModulesContainer],
    useFactory: (...parts: ConstructorParameters<typeof LazyModules>) => new LazyModules(...parts),
  },
  {
    provide: JobExplorer,
    inject: [
      DiscoveryService,
      MetadataScanner,
      chronisSettings,
      ExternalContextCreator,
      chronisInstance,
      ModulesContainer,
      LazyModules,
    ],
    useFactory: makeExplorer,
  },
  {
    provide: EventSharer,
    inject: [StorageAdapter, ChronisEvents, chronisSettings],
    useFactory: (storage: StorageAdapter, events: ChronisEvents, settings: ChronisSettings) =>
      new EventSharer(storage, events, settings.engine.name, settings.sharedEvents, settings.clock),
  },
  {
    provide: EventSubscriber,
    inject: [
      DiscoveryService,
      MetadataScanner,
      ChronisEvents,
      chronisInstance,
      ModulesContainer,
      LazyModules,
    ],
    useFactory: makeSubscriber,
  },
  { provide: JobLists, useFactory: () => new JobLists() },
  {
    provide: JobSynchronizer,
    inject: [StorageAdapter, LockAdapter, ChronisEvents, Engine, JobExplorer, chronisSettings, JobLists],
    useFactory: makeSynchronizer,
  },
  {
    provide: MissingJobs,
    inject: [StorageAdapter, LockAdapter, ChronisEvents, JobExplorer, chronisSettings, JobLists],
    useFactory: makeMissingJobs,
  },
  {
    provide: HandlerWithdrawals,
    inject: [HandlerRegistry, StorageAdapter, ChronisEvents, Engine, chronisSettings],
    useFactory: makeWithdrawals,
  },
  {
    provide: SchedulerLifecycle,
    inject: [
      Engine,
      JobSynchronizer,
      MissingJobs,
      StorageAdapter,
      ChronisEvents,
      HandlerRegistry,
      JobExplorer,
      HandlerWithdrawals,
      chronisSettings,
      WorkflowRegistry,
      JobLists,
    ],
    useFactory: makeLifecycle,
  },
  {
    provide: JobDeclarations,
    inject: [
      JobExplorer,
      HandlerRegistry,
      SchedulerLifecycle,
      chronisSettings,
      JobLists,
      serviceParts,
      WorkflowRegistry,
    ],
    useFactory: makeDeclarations,
  },
  {
    provide: serviceParts,
    inject: [
      StorageAdapter,
      Engine,
      HandlerRegistry,
      ChronisEvents,
      SchedulerLifecycle,
      HandlerWithdrawals,
      chronisSettings,
      JobLists,
      Tracing,
    ],
    useFactory: makeServiceParts,
  },
  { provide: SchedulerService, inject: [serviceParts], useFactory: makeScheduler },
  { provide: DefinitionService, inject: [serviceParts], useFactory: makeDefinitions },
  {
    provide: WorkflowRegistry,
    inject: [StorageAdapter],
    useFactory: (storage: StorageAdapter) => new WorkflowRegistry(storage),
  },
  { provide: WorkflowService, inject: [serviceParts, WorkflowRegistry], useFactory: makeWorkflows },
  {
    provide: CodeRegistrar,
    inject: [
      JobExplorer,
      EventSubscriber,
      HandlerRegistry,
      ChronisEvents,
      StorageAdapter,
      SchedulerLifecycle,
      LazyModules,
      DiscoveryService,
      MetadataScanner,
      ModulesContainer,
      chronisInstance,
      WorkflowRegistry,
    ],
    useFactory: makeRegistrar,
  },
  {
    provide: ChronisCore,
    inject: [
      JobExplorer,
      CodeRegistrar,
      ChronisEvents,
      StorageAdapter,
      LockAdapter,
      ModulesContainer,
      EventSubscriber,
      EventSharer,
      HandlerSurroundings,
      chronisSettings,
      ModuleRef,
      chronisInstance,
      Tracing,
    ],
    useFactory: (...parts: ConstructorParameters<typeof ChronisCore>) => new ChronisCore(...parts),
  },
  {
    provide: ChronisStopper,
    inject: [SchedulerLifecycle, ModulesContainer],
    useFactory: (...parts: ConstructorParameters<typeof ChronisStopper>) => new ChronisStopper(...parts),
  },
];

/** Tells modules apart where Nest takes dynamic modules with the same contents for one: in version 10, later on demand. */
let made = 0;

/** Everything that can be injected. Global unless told otherwise; has no part in when jobs run. */
@Module({})
export class ChronisCoreModule {
  static create(
    options: readonly Provider[],
    instance: string,
    isGlobal: boolean,
    imports: NonNullable<ModuleMetadata['imports']> = [],
  ): DynamicModule {
    return {
      module: ChronisCoreModule,
      global: isGlobal,
      imports: [DiscoveryModule, ...imports],
      providers: [
        { provide: chronisInstance, useValue: instance },
        { provide: 'ChronisCoreModule', useValue: ++made },
        runContextProvider,
        ...options,
        ...providers.map((provider) => providerIn(instance, provider)),
      ],
      exports: [
        ...publicParts.map((part) => tokenIn(instance, part)),
        RUN_CONTEXT,
        SchedulerLifecycle,
        ChronisCore,
        chronisSettings,
      ],
    };
  }
}

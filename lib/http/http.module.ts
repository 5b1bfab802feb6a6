import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import {
  ChronisModule,
  getChronisEventsToken,
  getClockToken,
  getDefinitionsToken,
  getRedactorToken,
  getSchedulerToken,
  getStorageToken,
  getWorkflowsToken,
  knownOptions,
  type ChronisEvents,
  type Clock,
  type DefinitionService,
  type Redactor,
  type InjectionToken,
  type SchedulerService,
  type StorageAdapter,
  type WorkflowService,
} from '../index.js';
import { BulkActions } from './bulk.actions.js';
import { chronoschedRoutes } from './chronosched/chronosched.routes.js';
import { httpController } from './http.controller.js';
import { HttpMount } from './http.mount.js';
import {
  checkedRoute,
  httpKeys,
  httpSettings,
  routeKeys,
  type ChronisHttpOptions,
  type ChronisHttpRoute,
} from './http.options.js';
import { LiveChanges } from './live.changes.js';
import { allRoutes } from './routes/all.routes.js';

/** Options that are made by the injector; what decides about the routes is given as it is. @publicApi */
export interface ChronisHttpAsyncOptions extends ChronisHttpRoute {
  /** What `useFactory` takes. */
  inject?: (InjectionToken | { token: InjectionToken; optional: boolean })[];
  useFactory: (...dependencies: any[]) => ChronisHttpOptions | Promise<ChronisHttpOptions>;
}

const optionsToken = Symbol('httpOptions');

/**
 * The REST API over the jobs of ChronisModule, as routes of this application. Import it beside that. Closed by default: without guards only this machine is let in, and in production the application does not boot.
 *
 * @example
 * imports: [ChronisHttpModule.forRoot({ path: 'chronis', guards: [AdminGuard] }), ChronisModule.forRoot()]
 * @publicApi
 */
@Module({})
export class ChronisHttpModule {
  /** Throws InvalidOptionError. */
  static forRoot(options: ChronisHttpOptions & ChronisHttpRoute = {}): DynamicModule {
    const owner = 'ChronisHttpModule.forRoot()';
    knownOptions(options, [...httpKeys, ...routeKeys], owner);
    const { path, guards, imports, openapi, chronosched, instance, ...rest } = options;
    httpSettings(rest, owner);
    return assemble([{ provide: optionsToken, useValue: rest }], {
      path,
      guards,
      imports,
      openapi,
      chronosched,
      instance,
    });
  }

  /** The same with options that a factory makes. */
  static forRootAsync(options: ChronisHttpAsyncOptions): DynamicModule {
    const owner = 'ChronisHttpModule.forRootAsync()';
    knownOptions(options, ['inject', 'useFactory', ...routeKeys], owner);
    const { inject = [], useFactory, ...route } = options;
    return assemble([{ provide: optionsToken, inject: inject as never[], useFactory }], route);
  }
}

function assemble(
  options: Provider[],
  route: { [K in keyof ChronisHttpRoute]: ChronisHttpRoute[K] | undefined },
): DynamicModule {
  const { imports = [], openapi = 'own', instance } = route;
  const { path, guards, chronosched } = checkedRoute(route as ChronisHttpRoute);
  const served = [{ path, routes: allRoutes }];
  if (chronosched !== null) served.push({ path: chronosched, routes: chronoschedRoutes });
  const place = { paths: served.map((each) => each.path), isGuarded: guards.length > 0 };
  const feature = ChronisModule.forFeature(instance === undefined ? {} : { instance });
  return {
    module: ChronisHttpModule,
    imports: [...(imports as NonNullable<ModuleMetadata['imports']>), feature],
    controllers: served.map((each) =>
      httpController(each.path, guards === 'app' ? [] : guards, each.routes, openapi),
    ),
    providers: [
      ...options,
      {
        provide: LiveChanges,
        inject: [
          getStorageToken(instance),
          getChronisEventsToken(instance),
          getClockToken(instance),
        ] as never[],
        useFactory: (storage: StorageAdapter, events: ChronisEvents, clock: Clock) =>
          new LiveChanges({ storage, events, clock }),
      },
      {
        provide: BulkActions,
        inject: [getStorageToken(instance), getClockToken(instance), LiveChanges] as never[],
        useFactory: (storage: StorageAdapter, clock: Clock, live: LiveChanges) =>
          new BulkActions(storage, clock, live),
      },
      {
        provide: HttpMount,
        inject: [
          optionsToken,
          getSchedulerToken(instance),
          getWorkflowsToken(instance),
          getDefinitionsToken(instance),
          getStorageToken(instance),
          getClockToken(instance),
          HttpAdapterHost,
          ModulesContainer,
          LiveChanges,
          BulkActions,
          getRedactorToken(instance),
        ] as never[],
        useFactory: (
          given: ChronisHttpOptions,
          scheduler: SchedulerService,
          workflows: WorkflowService,
          definitions: DefinitionService,
          storage: StorageAdapter,
          clock: Clock,
          adapterHost: HttpAdapterHost,
          modules: ModulesContainer,
          live: LiveChanges,
          bulk: BulkActions,
          redactor: Redactor,
        ) =>
          new HttpMount(
            { scheduler, workflows, definitions, storage, clock, adapterHost, modules, live, bulk, redactor },
            place,
            httpSettings(given, 'ChronisHttpModule'),
          ),
      },
    ],
  };
}

import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import {
  ChronisModule,
  getChronisEventsToken,
  getClockToken,
  getSchedulerToken,
  getStorageToken,
  knownOptions,
  type ChronisEvents,
  type Clock,
  type InjectionToken,
  type SchedulerService,
  type StorageAdapter,
} from '../index.js';
import { ChronisMetrics } from './chronis.metrics.js';
import { metricsController } from './metrics.controller.js';
import {
  checkedRoute,
  metricsKeys,
  metricsSettings,
  routeKeys,
  type ChronisMetricsOptions,
  type ChronisMetricsRoute,
} from './metrics.options.js';
import { loadPromClient, PrometheusBackend } from './prometheus.backend.js';

/** Options that are made by the injector; what decides about the route is given as it is. @publicApi */
export interface ChronisMetricsAsyncOptions extends ChronisMetricsRoute, Pick<ModuleMetadata, 'imports'> {
  /** What `useFactory` takes. */
  inject?: (InjectionToken | { token: InjectionToken; optional: boolean })[];
  useFactory: (...dependencies: any[]) => ChronisMetricsOptions | Promise<ChronisMetricsOptions>;
}

const optionsToken = Symbol('metricsOptions');

/**
 * Measures what Chronis does in this process, for Prometheus, by prom-client. Import it beside ChronisModule.
 *
 * @example
 * imports: [ChronisMetricsModule.forRoot({ path: 'metrics' }), ChronisModule.forRoot()]
 * @publicApi
 */
@Module({})
export class ChronisMetricsModule {
  /** Throws InvalidOptionError; at the boot where prom-client is not installed. */
  static forRoot(options: ChronisMetricsOptions & ChronisMetricsRoute = {}): DynamicModule {
    const owner = 'ChronisMetricsModule.forRoot()';
    knownOptions(options, [...metricsKeys, ...routeKeys], owner);
    const { path, guards, instance, ...rest } = options;
    metricsSettings(rest, owner);
    return assemble([{ provide: optionsToken, useValue: rest }], { path, guards, instance });
  }

  /** The same with options that a factory makes. */
  static forRootAsync(options: ChronisMetricsAsyncOptions): DynamicModule {
    const owner = 'ChronisMetricsModule.forRootAsync()';
    const keys = ['imports', 'inject', 'useFactory', ...routeKeys];
    knownOptions(options, keys, owner);
    const { imports = [], inject = [], useFactory, ...route } = options;
    return assemble([{ provide: optionsToken, inject: inject as never[], useFactory }], route, imports);
  }
}

function assemble(
  options: Provider[],
  route: { [K in keyof ChronisMetricsRoute]: ChronisMetricsRoute[K] | undefined },
  imports: NonNullable<ModuleMetadata['imports']> = [],
): DynamicModule {
  const { path, guards = [], instance } = route;
  checkedRoute(route as ChronisMetricsRoute);
  return {
    module: ChronisMetricsModule,
    imports: [...imports, ChronisModule.forFeature(instance === undefined ? {} : { instance })],
    controllers: path === undefined ? [] : [metricsController(path, guards)],
    providers: [
      ...options,
      {
        provide: ChronisMetrics,
        inject: [
          optionsToken,
          getSchedulerToken(instance),
          getChronisEventsToken(instance),
          getStorageToken(instance),
          getClockToken(instance),
        ] as never[],
        useFactory: (
          given: ChronisMetricsOptions,
          scheduler: SchedulerService,
          events: ChronisEvents,
          storage: StorageAdapter,
          clock: Clock,
        ) => {
          const settings = metricsSettings(given, 'ChronisMetricsModule');
          const client = loadPromClient();
          const backend = new PrometheusBackend(
            client,
            settings.registry ?? new client.Registry(),
            settings.prefix,
          );
          return new ChronisMetrics(backend, { scheduler, events, storage, clock }, settings);
        },
      },
    ],
    exports: [ChronisMetrics],
  };
}

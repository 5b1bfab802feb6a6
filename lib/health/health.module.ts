import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import {
  ChronisModule,
  getChronisEventsToken,
  getClockToken,
  getSchedulerToken,
  knownOptions,
  type ChronisEvents,
  type Clock,
  type InjectionToken,
  type SchedulerService,
} from '../index.js';
import { ChronisHealth } from './chronis.health.js';
import { healthController } from './health.controller.js';
import { ChronisHealthIndicator } from './health.indicator.js';
import {
  checkedRoute,
  healthKeys,
  healthSettings,
  routeKeys,
  type ChronisHealthOptions,
  type ChronisHealthRoute,
} from './health.options.js';

/** Options that are made by the injector; what decides about the routes is given as it is. @publicApi */
export interface ChronisHealthAsyncOptions extends ChronisHealthRoute, Pick<ModuleMetadata, 'imports'> {
  /** What `useFactory` takes. */
  inject?: (InjectionToken | { token: InjectionToken; optional: boolean })[];
  useFactory: (...dependencies: any[]) => ChronisHealthOptions | Promise<ChronisHealthOptions>;
}

const optionsToken = Symbol('healthOptions');

/**
 * Answers probes: whether this process lives, is ready, and is well. Import it beside ChronisModule.
 *
 * @example
 * imports: [ChronisHealthModule.forRoot({ path: 'health' }), ChronisModule.forRoot()]
 * @publicApi
 */
@Module({})
export class ChronisHealthModule {
  /** Throws InvalidOptionError. */
  static forRoot(options: ChronisHealthOptions & ChronisHealthRoute = {}): DynamicModule {
    const owner = 'ChronisHealthModule.forRoot()';
    knownOptions(options, [...healthKeys, ...routeKeys], owner);
    const { path, guards, instance, ...rest } = options;
    healthSettings(rest, owner);
    return assemble([{ provide: optionsToken, useValue: rest }], { path, guards, instance });
  }

  /** The same with options that a factory makes. */
  static forRootAsync(options: ChronisHealthAsyncOptions): DynamicModule {
    const owner = 'ChronisHealthModule.forRootAsync()';
    const keys = ['imports', 'inject', 'useFactory', ...routeKeys];
    knownOptions(options, keys, owner);
    const { imports = [], inject = [], useFactory, ...route } = options;
    return assemble([{ provide: optionsToken, inject: inject as never[], useFactory }], route, imports);
  }
}

function assemble(
  options: Provider[],
  route: { [K in keyof ChronisHealthRoute]: ChronisHealthRoute[K] | undefined },
  imports: NonNullable<ModuleMetadata['imports']> = [],
): DynamicModule {
  const { path, guards = [], instance } = route;
  checkedRoute(route as ChronisHealthRoute);
  const tokens = [getSchedulerToken(instance), getChronisEventsToken(instance), getClockToken(instance)];
  return {
    module: ChronisHealthModule,
    imports: [...imports, ChronisModule.forFeature(instance === undefined ? {} : { instance })],
    controllers: path === undefined ? [] : [healthController(path, guards)],
    providers: [
      ...options,
      {
        provide: ChronisHealth,
        inject: [...tokens, optionsToken] as never[],
        useFactory: (
          scheduler: SchedulerService,
          events: ChronisEvents,
          clock: Clock,
          given: ChronisHealthOptions,
        ) => new ChronisHealth(scheduler, events, clock, healthSettings(given, 'ChronisHealthModule')),
      },
      {
        provide: ChronisHealthIndicator,
        inject: [ChronisHealth],
        useFactory: (health: ChronisHealth) => new ChronisHealthIndicator(health),
      },
    ],
    exports: [ChronisHealth, ChronisHealthIndicator],
  };
}

import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import {
  ChronisModule,
  getChronisEventsToken,
  getClockToken,
  getLockToken,
  getRedactorToken,
  getSchedulerToken,
  knownOptions,
  type ChronisEvents,
  type Clock,
  type InjectionToken,
  type LockAdapter,
  type Redactor,
  type SchedulerService,
} from '../index.js';
import {
  alertsKeys,
  alertsSettings,
  type ChronisAlertsOptions,
  type ChronisAlertsPlace,
} from './alerts.options.js';
import { ChronisAlerts } from './chronis.alerts.js';

/** Options that are made by the injector. @publicApi */
export interface ChronisAlertsAsyncOptions extends ChronisAlertsPlace, Pick<ModuleMetadata, 'imports'> {
  /** What `useFactory` takes. */
  inject?: (InjectionToken | { token: InjectionToken; optional: boolean })[];
  useFactory: (...dependencies: any[]) => ChronisAlertsOptions | Promise<ChronisAlertsOptions>;
}

const optionsToken = Symbol('alertsOptions');

/**
 * Tells people or programs what has happened, once for all processes, and pings what watches jobs. Import it beside ChronisModule in each process that runs jobs.
 *
 * @example
 * imports: [ChronisAlertsModule.forRoot({ rules: [{ on: 'run.failed', to: slack({ url }) }] }), ChronisModule.forRoot()]
 * @publicApi
 */
@Module({})
export class ChronisAlertsModule {
  /** Throws InvalidOptionError and InvalidScheduleError (every). */
  static forRoot(options: ChronisAlertsOptions & ChronisAlertsPlace = {}): DynamicModule {
    const owner = 'ChronisAlertsModule.forRoot()';
    knownOptions(options, [...alertsKeys, 'instance'], owner);
    const { instance, ...rest } = options;
    alertsSettings(rest, owner);
    return assemble([{ provide: optionsToken, useValue: rest }], instance);
  }

  /** The same with options that a factory makes. */
  static forRootAsync(options: ChronisAlertsAsyncOptions): DynamicModule {
    knownOptions(
      options,
      ['imports', 'inject', 'useFactory', 'instance'],
      'ChronisAlertsModule.forRootAsync()',
    );
    const { imports = [], inject = [], useFactory, instance } = options;
    return assemble([{ provide: optionsToken, inject: inject as never[], useFactory }], instance, imports);
  }
}

function assemble(
  options: Provider[],
  instance: string | undefined,
  imports: NonNullable<ModuleMetadata['imports']> = [],
): DynamicModule {
  const tokens = [
    getSchedulerToken(instance),
    getChronisEventsToken(instance),
    getLockToken(instance),
    getClockToken(instance),
    getRedactorToken(instance),
  ];
  return {
    module: ChronisAlertsModule,
    imports: [...imports, ChronisModule.forFeature(instance === undefined ? {} : { instance })],
    providers: [
      ...options,
      {
        provide: ChronisAlerts,
        inject: [...tokens, optionsToken] as never[],
        useFactory: (
          scheduler: SchedulerService,
          events: ChronisEvents,
          lock: LockAdapter,
          clock: Clock,
          redactor: Redactor,
          given: ChronisAlertsOptions,
        ) =>
          new ChronisAlerts(
            { scheduler, events, lock, clock, redactor },
            alertsSettings(given, 'ChronisAlertsModule'),
          ),
      },
    ],
  };
}

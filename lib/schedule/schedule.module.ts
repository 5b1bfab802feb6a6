import { Inject, Module, Optional, type DynamicModule, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ChronisModule, InvalidOptionError, meantOption } from '../index.js';
import { localProviders, ScheduleCoreModule } from './schedule.core.module.js';
import type {
  ScheduleModuleAsyncOptions,
  ScheduleModuleOptions,
  ScheduleModuleOptionsFactory,
} from './schedule.options.js';
import { SCHEDULE_MODULE_OPTIONS } from './schedule.constants.js';
import { SchedulerRegistry } from './scheduler.registry.js';

type Imports = NonNullable<ScheduleModuleAsyncOptions['imports']>;

@Module({})
class ScheduleOptionsModule {}

/**
 * Takes the place of the ScheduleModule of @nestjs/schedule: schedules methods with `@Cron`, `@Interval` and `@Timeout` on timers of this process, or with
 * `distributed` once in the cluster. Then import it last in the root module: runs begin after all other modules are ready and end before them. @publicApi
 */
@Module({ imports: [DiscoveryModule] })
export class ScheduleModule {
  constructor(@Optional() @Inject(SCHEDULE_MODULE_OPTIONS) options?: ScheduleModuleOptions) {
    if (options) return;
    throw new InvalidOptionError(
      'imports',
      'ScheduleModule is imported as it is, and would schedule nothing: write ScheduleModule.forRoot().',
    );
  }

  /** Throws InvalidOptionError when `distributed` is no object, for options that there are not, and at the boot for what is wrong in it. */
  static forRoot(options?: ScheduleModuleOptions): DynamicModule {
    if (typeof options === 'function') {
      const problem =
        'takes options as an object. For a function there is forRootAsync({ useFactory, inject }).';
      throw new InvalidOptionError('ScheduleModule.forRoot()', problem);
    }
    const made = [{ provide: SCHEDULE_MODULE_OPTIONS, useValue: complete(options) }];
    const chronis = options?.distributed;
    if (!chronis) return local(made);
    // It would be taken for no options at all, and jobs would be in the memory of each process.
    if (typeof chronis !== 'object') {
      const problem = 'give the options of ChronisModule, such as { storage: typeOrmStorage({ url }) }.';
      throw new InvalidOptionError('distributed', problem);
    }
    return distributed(optionsModule(made), ChronisModule.forRoot(chronis));
  }

  /** Options that are made by the injector. For `distributed` among them say `distributed: true` here as well. */
  static forRootAsync(options: ScheduleModuleAsyncOptions): DynamicModule {
    const providers = asyncProviders(options);
    if (!options.distributed) return local(providers, options.imports);
    const made = optionsModule(providers, options.imports);
    const chronis = ChronisModule.forRootAsync({
      imports: [made],
      inject: [SCHEDULE_MODULE_OPTIONS],
      // Without the option everything is local, and the scheduler idle.
      useFactory: (given: ScheduleModuleOptions) => given.distributed ?? { autoStart: false, log: false },
    });
    return distributed(made, chronis);
  }
}

/** As the original is made: one global module that has everything. */
function local(options: Provider[], imports: Imports = []): DynamicModule {
  const providers = [...localProviders, ...options];
  return { module: ScheduleModule, global: true, imports, providers, exports: [SchedulerRegistry] };
}

/** The runner of the scheduler is put into this module, whose place among the imports decides when jobs start. */
function distributed(options: DynamicModule, chronis: DynamicModule): DynamicModule {
  return {
    module: ScheduleModule,
    imports: [options, ScheduleCoreModule.create(options), ...(chronis.imports ?? [])],
    providers: chronis.providers ?? [],
    exports: [ScheduleCoreModule, ...(chronis.exports ?? [])],
  };
}

function optionsModule(providers: Provider[], imports: Imports = []): DynamicModule {
  return { module: ScheduleOptionsModule, imports, providers, exports: [SCHEDULE_MODULE_OPTIONS] };
}

const known = ['cronJobs', 'intervals', 'timeouts', 'distributed'];

/** Throws InvalidOptionError for a key that nobody reads: a storage beside `distributed` would be none, and everything local. */
function complete(options?: ScheduleModuleOptions): ScheduleModuleOptions {
  for (const key of Object.keys(options ?? {})) {
    if (known.includes(key)) continue;
    const meant = meantOption(key, known);
    const hint = meant
      ? `Did you mean "${meant}"?`
      : `There are: ${known.join(', ')}. What ChronisModule takes is given inside: distributed: { ${key}: … }.`;
    throw new InvalidOptionError(key, `ScheduleModule has no such option. ${hint}`);
  }
  return { cronJobs: true, intervals: true, timeouts: true, ...options };
}

function asyncProviders({
  useFactory,
  inject = [],
  useClass,
  useExisting,
}: ScheduleModuleAsyncOptions): Provider[] {
  if (useFactory) {
    const make = async (...args: unknown[]): Promise<ScheduleModuleOptions> =>
      complete(await useFactory(...args));
    return [{ provide: SCHEDULE_MODULE_OPTIONS, inject, useFactory: make }];
  }
  const factory = useClass ?? useExisting!;
  const provider: Provider = {
    provide: SCHEDULE_MODULE_OPTIONS,
    inject: [factory],
    useFactory: async (maker: ScheduleModuleOptionsFactory) => complete(await maker.createScheduleOptions()),
  };
  return useClass && !useExisting ? [useClass, provider] : [provider];
}

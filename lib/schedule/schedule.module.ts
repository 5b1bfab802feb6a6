import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { ChronisModule } from '../index.js';
import { ScheduleCoreModule } from './schedule.core.module.js';
import type {
  ScheduleModuleAsyncOptions,
  ScheduleModuleOptions,
  ScheduleModuleOptionsFactory,
} from './schedule.options.js';
import { scheduleOptions } from './schedule.tokens.js';

@Module({})
class ScheduleOptionsModule {}

/**
 * Takes the place of the ScheduleModule of @nestjs/schedule: schedules methods with `@Cron`, `@Interval` and `@Timeout` on timers of this process, or with
 * `distributed` once in the cluster. Then import it last in the root module: runs begin after all other modules are ready and end before them. @publicApi
 */
@Module({})
export class ScheduleModule {
  /** Throws InvalidOptionError at the boot for wrong options of `distributed`. */
  static forRoot(options: ScheduleModuleOptions = {}): DynamicModule {
    const { distributed } = options;
    return assemble(
      optionsModule([{ provide: scheduleOptions, useValue: complete(options) }]),
      distributed ? ChronisModule.forRoot(distributed) : null,
    );
  }

  /** Options that are made by the injector. For `distributed` among them say `distributed: true` here as well. */
  static forRootAsync(options: ScheduleModuleAsyncOptions): DynamicModule {
    const made = optionsModule(asyncProviders(options), options.imports);
    const chronis = (): DynamicModule =>
      ChronisModule.forRootAsync({
        imports: [made],
        inject: [scheduleOptions],
        // Without the option everything is local, and the scheduler idle.
        useFactory: ({ distributed }: ScheduleModuleOptions) => distributed ?? { autoStart: false },
      });
    return assemble(made, options.distributed ? chronis() : null);
  }
}

/** The runner of the scheduler is put into this module, whose place among the imports decides when jobs start. */
function assemble(options: DynamicModule, chronis: DynamicModule | null): DynamicModule {
  const core = ScheduleCoreModule.create(options, chronis !== null);
  return {
    module: ScheduleModule,
    imports: [core, ...(chronis?.imports ?? [])],
    providers: chronis?.providers ?? [],
    exports: [ScheduleCoreModule, ...(chronis?.exports ?? [])],
  };
}

function optionsModule(
  providers: Provider[],
  imports: ScheduleModuleAsyncOptions['imports'] = [],
): DynamicModule {
  return { module: ScheduleOptionsModule, imports, providers, exports: [scheduleOptions] };
}

function complete(options: ScheduleModuleOptions): ScheduleModuleOptions {
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
    return [{ provide: scheduleOptions, inject, useFactory: make }];
  }
  const factory = useClass ?? useExisting!;
  const provider: Provider = {
    provide: scheduleOptions,
    inject: [factory],
    useFactory: async (maker: ScheduleModuleOptionsFactory) => complete(await maker.createScheduleOptions()),
  };
  return useClass && !useExisting ? [useClass, provider] : [provider];
}

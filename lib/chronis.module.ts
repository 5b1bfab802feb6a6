import { Inject, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ChronisCoreModule, chronisOptions } from './chronis.core.module.js';
import type {
  ChronisModuleAsyncOptions,
  ChronisModuleOptions,
  ChronisOptionsFactory,
} from './chronis.options.js';
import { assertRoot, providerIn } from './chronis.instances.js';
import { instanceName } from './discovery/instance.names.js';
import { ChronisFeatureModule } from './chronis.feature.module.js';
import { featureOptions, featureOptionsOf, type ChronisFeatureOptions } from './discovery/feature.options.js';
import { runnerProvider } from './chronis.runner.js';
import { InvalidOptionError } from './model/errors.js';
import { described, knownOptions, trueOrFalse } from './scheduler/option.checks.js';

const asyncKeys = ['imports', 'inject', 'useFactory', 'useClass', 'useExisting', 'isGlobal', 'instance'];

/**
 * The scheduler as a module. Import it once, in the root module, **last**: it then starts after all other modules and stops before them.
 *
 * @example
 * imports: [DatabaseModule, ChronisModule.forRoot({ storage: typeOrmStorage({ url }), lock: typeOrmLock() })]
 * @publicApi
 */
@Module({})
export class ChronisModule {
  constructor(@Inject(ModulesContainer) modules: ModulesContainer) {
    assertRoot(modules, ChronisModule, 'imports it as it is');
  }

  /** Without options jobs live in memory. Options are checked when the application boots. Throws InvalidOptionError where they are no object. */
  static forRoot(options: ChronisModuleOptions = {}): DynamicModule {
    // What is not given as an object would be no options at all, and jobs would be in memory.
    if (typeof options === 'function') {
      const problem =
        'takes options as an object. For a function there is forRootAsync({ useFactory, inject }).';
      throw new InvalidOptionError('ChronisModule.forRoot()', problem);
    }
    if (typeof options !== 'object' || options === null || Array.isArray(options)) {
      const problem = `takes options as an object, or none, but was given ${described(options)}.`;
      throw new InvalidOptionError('ChronisModule.forRoot()', problem);
    }
    const { isGlobal = true, instance, ...rest } = options;
    // Not by useValue: to tell modules apart Nest may write out all that is behind it, and warns where that takes long.
    const made = { provide: chronisOptions, useFactory: () => rest };
    return assemble([made], isGlobal, instanceName(instance));
  }

  /** Options that are made by the injector: with `useFactory`, or a ChronisOptionsFactory by `useClass` or `useExisting`. */
  static forRootAsync(options: ChronisModuleAsyncOptions): DynamicModule {
    knownOptions(options, asyncKeys, 'ChronisModule.forRootAsync()');
    const { isGlobal = true, instance, imports } = options;
    return assemble(asyncProviders(options), isGlobal, instanceName(instance), imports);
  }

  /**
   * What the decorators in the providers of the importing module say unless they say it themselves: `forFeature({ queue: 'mail' })`. Needs a
   * `forRoot` in the application. Throws InvalidOptionError.
   */
  static forFeature(options: ChronisFeatureOptions): DynamicModule {
    const provider = { provide: featureOptions, useValue: featureOptionsOf(options) };
    return { module: ChronisFeatureModule, providers: [provider] };
  }
}

function assemble(
  options: Provider[],
  isGlobal: unknown,
  instance: string,
  imports?: ChronisModuleAsyncOptions['imports'],
): DynamicModule {
  return {
    module: ChronisModule,
    imports: [ChronisCoreModule.create(options, instance, trueOrFalse(isGlobal, 'isGlobal'), imports)],
    providers: [providerIn(instance, runnerProvider)],
    exports: [ChronisCoreModule],
  };
}

function asyncProviders({
  useFactory,
  inject = [],
  useClass,
  useExisting,
}: ChronisModuleAsyncOptions): Provider[] {
  if ([useFactory, useClass, useExisting].filter((way) => way !== undefined).length !== 1) {
    throw new InvalidOptionError(
      'ChronisModule.forRootAsync()',
      'give exactly one of useFactory, useClass and useExisting.',
    );
  }
  if (useFactory) return [{ provide: chronisOptions, inject: inject as never[], useFactory }];
  const factory = useClass ?? (useExisting as never);
  const provider: Provider = {
    provide: chronisOptions,
    inject: [factory],
    useFactory: (maker: ChronisOptionsFactory) => maker.createChronisOptions(),
  };
  return useClass ? [useClass, provider] : [provider];
}

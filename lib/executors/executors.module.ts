import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import {
  ChronisEvents,
  ChronisModule,
  getChronisEventsToken,
  getStorageToken,
  InvalidOptionError,
  type StorageAdapter,
} from '../index.js';
import { BinaryExecutor } from './binary.executor.js';
import { binarySettings, type BinarySettings } from './binary.options.js';
import { BinaryStore } from './binary.store.js';
import { CommandExecutor } from './command.executor.js';
import { commandSettings } from './command.options.js';
import type {
  ChronisExecutorsAsyncOptions,
  ChronisExecutorsModuleOptions,
  ChronisExecutorsOptions,
  ChronisExecutorsOptionsFactory,
} from './executors.options.js';
import { EmitExecutor } from './emit.executor.js';
import { emitSettings } from './emit.options.js';
import { HttpExecutor } from './http.executor.js';
import { httpSettings } from './http.options.js';
import { knownOptions } from './option.checks.js';

const executorsOptions = Symbol('executorsOptions');
const executorsBinary = Symbol('executorsBinary');
const executorKeys = [
  'command',
  'binary',
  'http',
  'emit',
] as const satisfies readonly (keyof ChronisExecutorsOptions)[];
const asyncKeys = ['imports', 'instance', 'inject', 'useFactory', 'useClass', 'useExisting'] as const;

let made = 0;

/**
 * Executors of tasks that need no code of the application, each by option: what is not named does not exist. Import it before ChronisModule.
 *
 * @example
 * imports: [ChronisExecutorsModule.forRoot({ command: { allow: ['/usr/bin/rsync', '/opt/jobs/*'] } }), ChronisModule.forRoot()]
 * @publicApi
 */
@Module({})
export class ChronisExecutorsModule {
  /** Throws InvalidOptionError for options that there are not, and where there is no executor; at the boot for what is wrong in one. */
  static forRoot(options: ChronisExecutorsModuleOptions): DynamicModule {
    const owner = 'ChronisExecutorsModule.forRoot()';
    if (typeof options === 'function') {
      const problem =
        'takes options as an object. For a function there is forRootAsync({ useFactory, inject }).';
      throw new InvalidOptionError(owner, problem);
    }
    const { instance, ...rest } = knownOptions(options, [...executorKeys, 'instance'], owner);
    const known = checked(rest, owner);
    // Not by useValue: to tell modules apart Nest may write out clients and queues with all that is behind them, and warns where that takes long. The number tells them apart.
    const number: Provider = { provide: 'ChronisExecutorsModule', useValue: ++made };
    return assemble([{ provide: executorsOptions, useFactory: () => known }, number], instance);
  }

  /** Options that are made by the injector: with `useFactory`, or a ChronisExecutorsOptionsFactory by `useClass` or `useExisting`. */
  static forRootAsync(options: ChronisExecutorsAsyncOptions): DynamicModule {
    const owner = 'ChronisExecutorsModule.forRootAsync()';
    const { instance, imports } = knownOptions(options, asyncKeys, owner);
    return assemble(asyncProviders(options, owner), instance, imports);
  }
}

function assemble(
  options: Provider[],
  instance: string | undefined,
  imports: ChronisExecutorsAsyncOptions['imports'] = [],
): DynamicModule {
  const events = instance === undefined ? ChronisEvents : getChronisEventsToken(instance);
  const storage = getStorageToken(instance);
  const feature = ChronisModule.forFeature(instance === undefined ? {} : { instance });
  return {
    module: ChronisExecutorsModule,
    imports: [...imports, feature],
    providers: [
      ...options,
      {
        provide: CommandExecutor,
        inject: [executorsOptions, { token: events, optional: true }],
        useFactory: ({ command }: ChronisExecutorsOptions, told?: ChronisEvents) =>
          command === undefined ? null : new CommandExecutor(commandSettings(command), told),
      },
      {
        provide: executorsBinary,
        inject: [executorsOptions],
        useFactory: ({ binary }: ChronisExecutorsOptions) =>
          binary === undefined ? null : binarySettings(binary),
      },
      {
        provide: BinaryExecutor,
        inject: [executorsBinary, { token: storage, optional: true }, { token: events, optional: true }],
        useFactory: (settings: BinarySettings | null, stored?: StorageAdapter, told?: ChronisEvents) =>
          settings === null ? null : new BinaryExecutor(settings, reached(stored), told),
      },
      {
        provide: BinaryStore,
        inject: [{ token: storage, optional: true }, executorsBinary],
        useFactory: (stored: StorageAdapter | undefined, settings: BinarySettings | null) =>
          new BinaryStore(settings, settings && reached(stored)),
      },
      {
        provide: HttpExecutor,
        inject: [executorsOptions],
        useFactory: ({ http }: ChronisExecutorsOptions) =>
          http === undefined ? null : new HttpExecutor(httpSettings(http)),
      },
      {
        provide: EmitExecutor,
        inject: [executorsOptions],
        useFactory: ({ emit }: ChronisExecutorsOptions) =>
          emit === undefined ? null : new EmitExecutor(emitSettings(emit)),
      },
    ],
    exports: [BinaryStore],
  };
}

/** Throws InvalidOptionError. */
function reached(storage: StorageAdapter | undefined): StorageAdapter {
  if (storage !== undefined) return storage;
  const problem =
    'needs the storage of ChronisModule, which this module does not reach. Leave "isGlobal: false" of it out.';
  throw new InvalidOptionError('binary', problem);
}

/** Throws InvalidOptionError. */
function checked(given: ChronisExecutorsOptions, owner: string): ChronisExecutorsOptions {
  const options = knownOptions(given, executorKeys, owner);
  if (executorKeys.some((key) => options[key] !== undefined)) return options;
  throw new InvalidOptionError(
    owner,
    `names no executor, so there would be none. Give one of: ${executorKeys.join(', ')}.`,
  );
}

function asyncProviders(given: ChronisExecutorsAsyncOptions, owner: string): Provider[] {
  const { useFactory, inject = [], useClass, useExisting } = given;
  if ([useFactory, useClass, useExisting].filter((way) => way !== undefined).length !== 1) {
    throw new InvalidOptionError(owner, 'give exactly one of useFactory, useClass and useExisting.');
  }
  if (useFactory) {
    const make = async (...dependencies: unknown[]) => checked(await useFactory(...dependencies), owner);
    return [{ provide: executorsOptions, inject: inject as never[], useFactory: make }];
  }
  const factory = useClass ?? (useExisting as never);
  const provider: Provider = {
    provide: executorsOptions,
    inject: [factory],
    useFactory: async (maker: ChronisExecutorsOptionsFactory) =>
      checked(await maker.createChronisExecutorsOptions(), owner),
  };
  return useClass ? [useClass, provider] : [provider];
}

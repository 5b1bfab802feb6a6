import { Injectable, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, test } from 'vitest';
import {
  ChronisModule,
  LockAdapter,
  MemoryLock,
  MemoryStorage,
  SchedulerService,
  StorageAdapter,
  type AdapterRecipe,
  type ChronisModuleAsyncOptions,
  type ChronisOptions,
  type ChronisOptionsFactory,
} from '../../lib/index.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a storage needs, and what takes a while to be there. */
class Connection {
  constructor(readonly url: string) {}
}
class ConnectedStorage extends MemoryStorage {
  constructor(readonly connection: Connection) {
    super();
  }
}
class ConnectedLock extends MemoryLock {
  constructor(readonly storage: StorageAdapter) {
    super();
  }
}
const connected = (token: unknown): AdapterRecipe<StorageAdapter> => ({
  inject: [token as never],
  create: (connection: Connection) => new ConnectedStorage(connection),
});
const connectedLock: AdapterRecipe<LockAdapter> = {
  inject: [StorageAdapter],
  create: (storage: StorageAdapter) => new ConnectedLock(storage),
};

@Injectable()
class Config implements ChronisOptionsFactory {
  readonly url = 'memory://config';
  createChronisOptions(): ChronisOptions {
    return { app: 'configured', autoStart: false };
  }
}

@Module({ providers: [Config], exports: [Config] })
class ConfigModule {}

@Module({
  providers: [
    {
      provide: 'connection',
      useFactory: async () => {
        for (let i = 0; i < 20; i++) await turn();
        return new Connection('memory://late');
      },
    },
  ],
  exports: ['connection'],
})
class ConnectionModule {}

describe('the module with options that are made by the injector', () => {
  let close: () => Promise<void> = async () => undefined;
  afterEach(() => close());

  async function boot(module: DynamicModule, others: unknown[] = []) {
    @Module({ imports: [...(others as DynamicModule[]), module] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    close = async () => {
      close = async () => undefined;
      await app.close();
    };
    return app;
  }

  test('takes them from a factory with what it injects', async () => {
    const app = await boot(
      ChronisModule.forRootAsync({
        imports: [ConfigModule],
        inject: [Config],
        useFactory: async (config: Config) => ({ storage: new ConnectedStorage(new Connection(config.url)) }),
      }),
    );
    expect(app.get<ConnectedStorage>(StorageAdapter).connection.url).toBe('memory://config');
    expect(app.get(SchedulerService).running).toBe(true);
  });

  test('takes them from a class', async () => {
    const app = await boot(ChronisModule.forRootAsync({ useClass: Config }));
    expect(app.get(SchedulerService).running).toBe(false);
  });

  test('takes them from a provider that exists', async () => {
    const app = await boot(ChronisModule.forRootAsync({ imports: [ConfigModule], useExisting: Config }));
    expect(app.get(SchedulerService).running).toBe(false);
  });

  test('makes a recipe with what its tokens stand for, and waits for what is still being made', async () => {
    const app = await boot(
      ChronisModule.forRootAsync({
        imports: [ConnectionModule],
        useFactory: () => ({ storage: connected('connection'), lock: connectedLock }),
      }),
    );
    const storage = app.get<ConnectedStorage>(StorageAdapter);
    expect(storage.connection.url).toBe('memory://late');
    expect(app.get<ConnectedLock>(LockAdapter).storage).toBe(storage);
  });

  test('makes a recipe of forRoot() from what is global', async () => {
    const global = { module: ConnectionModule, global: true };
    const app = await boot(ChronisModule.forRoot({ storage: connected('connection') }), [global]);
    expect(app.get<ConnectedStorage>(StorageAdapter).connection.url).toBe('memory://late');
  });

  test('says what to do when a recipe needs what it cannot see', async () => {
    const module = ChronisModule.forRoot({ storage: connected('connection') });
    await expect(boot(module, [ConnectionModule])).rejects.toThrow(
      'storage: its recipe needs connection, which ChronisModule cannot see. Use forRootAsync({ imports: [the module that exports it], … }), or have a global module export it.',
    );
  });

  test('can be injected everywhere, or only where it is imported', async () => {
    @Injectable()
    class Feature {
      constructor(readonly scheduler: SchedulerService) {}
    }
    Reflect.defineMetadata('design:paramtypes', [SchedulerService], Feature);
    @Module({ providers: [Feature] })
    class FeatureModule {}
    const app = await boot(ChronisModule.forRoot(), [FeatureModule]);
    expect(app.get(Feature).scheduler).toBe(app.get(SchedulerService));
    await close();

    const local = ChronisModule.forRoot({ isGlobal: false });
    await expect(boot(local, [FeatureModule])).rejects.toThrow(
      "Nest can't resolve dependencies of the Feature",
    );
    const importing = { module: FeatureModule, imports: [local] };
    const second = await boot(importing);
    expect(second.get(Feature).scheduler.running).toBe(true);
  });

  const wrong: [string, ChronisModuleAsyncOptions, string][] = [
    ['no way', {}, 'ChronisModule.forRootAsync(): give exactly one of useFactory, useClass and useExisting.'],
    [
      'two ways',
      { useClass: Config, useFactory: () => ({}) },
      'ChronisModule.forRootAsync(): give exactly one of useFactory, useClass and useExisting.',
    ],
    [
      'another spelling',
      { usefactory: () => ({}) } as ChronisModuleAsyncOptions,
      'usefactory: ChronisModule.forRootAsync() has no such option. Did you mean "useFactory"?',
    ],
  ];
  test.each(wrong)('refuses %s to make them', (_, options, message) => {
    expect(() => ChronisModule.forRootAsync(options)).toThrow(message);
  });

  test('refuses an isGlobal that is neither true nor false', () => {
    const isGlobal = 'yes' as never;
    const message = "isGlobal: must be true or false, but is 'yes'.";
    expect(() => ChronisModule.forRoot({ isGlobal })).toThrow(message);
    expect(() => ChronisModule.forRootAsync({ isGlobal, useFactory: () => ({}) })).toThrow(message);
  });

  test('refuses made options that come too late', async () => {
    const useFactory = (): ChronisOptions => ({ isGlobal: false }) as ChronisOptions;
    await expect(boot(ChronisModule.forRootAsync({ useFactory }))).rejects.toThrow(
      'isGlobal: is needed before the options are made: give it beside useFactory.',
    );
  });
});

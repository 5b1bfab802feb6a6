import { Injectable, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterEach, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  ChronisModule,
  Cron,
  Interval,
  MemoryLock,
  SchedulerService,
  type ChronisModuleOptions,
  type ChronisEventMap,
} from '../../lib/index.js';
import { chronisEntities, typeOrmLock, typeOrmStorage, type TypeOrmServer } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

@Injectable()
class Jobs {
  @Interval('1s')
  tick(): void {}

  @Cron('0 9 * * *', { id: 'daily', metadata: { tenant_id: 'acme' } })
  daily(): void {}
}

describe('the module on PostgreSQL', () => {
  let close: () => Promise<void> = async () => undefined;
  afterEach(() => close());

  async function boot(chronis: DynamicModule, imports: DynamicModule[] = []) {
    @Module({ imports: [...imports, chronis], providers: [Jobs] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    close = async () => {
      close = async () => undefined;
      await app.close();
    };
    return app;
  }
  const database = (name?: string): DynamicModule =>
    TypeOrmModule.forRoot({ type: 'postgres', url: databaseUrl(), ...(name ? { name } : {}) });
  const options = (given: object, schema = freshSchema('module')): ChronisModuleOptions => ({
    storage: typeOrmStorage({ schema, ...(given as TypeOrmServer) }),
    lock: typeOrmLock(),
  });

  const ways: [string, () => ChronisModuleOptions, DynamicModule[]][] = [
    ['a URL', () => options({ url: databaseUrl() }), []],
    ["the application's DataSource", () => options({ dataSource: getDataSourceToken() }), [database()]],
    [
      'one of several DataSources',
      () => options({ dataSource: getDataSourceToken('jobs') }),
      [database('jobs')],
    ],
  ];
  test.each(ways)('connects by %s, and runs what is declared', async (_, chronis, imports) => {
    const app = await boot(ChronisModule.forRoot(chronis()), imports);
    const ran = await app.get(ChronisEvents).once('run.succeeded', ({ jobId }) => jobId === 'Jobs.tick');
    expect(ran).toMatchObject({ handler: 'Jobs.tick', attempt: 1 });
    const { items } = await app.get(SchedulerService).queryJobs({ 'metadata.tenant_id': 'acme' });
    expect(items).toMatchObject([{ id: 'daily', source: 'code', state: 'pending' }]);
  });

  test('tells that TypeORM has dropped its tables, and goes on when another start has made them anew', async () => {
    const schema = freshSchema('dropped');
    const chronis = { ...options({ url: databaseUrl() }, schema), leaseMs: '3s' };
    const app = await boot(ChronisModule.forRoot(chronis));
    const closeFirst = close;
    const events = app.get(ChronisEvents);
    const ran = () => events.once('run.succeeded', ({ jobId }) => jobId === 'Jobs.tick');
    await ran();
    const gone = events.once('storage.failing', ({ error }) => /tables are gone/.test(String(error)));
    const entities = Object.values(chronisEntities({ schema }));
    const dropping = new DataSource({
      type: 'postgres',
      url: databaseUrl(),
      schema,
      entities,
      dropSchema: true,
    });
    await dropping.initialize();
    await dropping.destroy();
    expect(String((await gone).error)).toContain(
      'take chronisEntities() out of the DataSource that has dropSchema',
    );
    await boot(ChronisModule.forRoot(chronis));
    await close();
    close = closeFirst;
    await ran();
    const { items } = await app.get(SchedulerService).queryJobs();
    expect(items.map(({ id }) => id)).toEqual(['Jobs.tick', 'daily']);
  }, 90_000);

  test('finds its jobs unchanged at the next start, and what was made at run time', async () => {
    const chronis = options({ url: databaseUrl() });
    const first = await boot(ChronisModule.forRoot(chronis));
    const { nextRunAt } = (await first.get(SchedulerService).getJob('daily'))!;
    await first.get(SchedulerService).createDateJob({ id: 'once', handler: 'Jobs.daily', in: '1d' });
    await close();
    const second = await boot(ChronisModule.forRoot(chronis));
    const scheduler = second.get(SchedulerService);
    expect(await scheduler.getJob('daily')).toMatchObject({ nextRunAt, revision: 1 });
    expect(await scheduler.getJob('once')).toMatchObject({ source: 'api', state: 'pending' });
  });

  test('refuses a lock that other processes do not see', async () => {
    const storage = typeOrmStorage({ url: databaseUrl(), schema: freshSchema('module') });
    await expect(boot(ChronisModule.forRoot({ storage, lock: new MemoryLock() }))).rejects.toThrow(
      'lock: other processes use the same storage (postgres), but this lock is seen by this process alone.',
    );
  });

  test('makes nothing in a database for code that is refused', async () => {
    class Twice {
      @Cron('0 9 * * *', { id: 'daily' })
      again(): void {}
    }
    class Wrong {
      @Cron('99 9 * * *')
      never(): void {}
    }
    const database = new DataSource({ type: 'postgres', url: databaseUrl() });
    await database.initialize();
    const isThere = async (schema: string): Promise<boolean> =>
      (await database.query('select from pg_namespace where nspname = $1', [schema])).length > 0;
    try {
      for (const [provider, problem] of [
        [Twice, /Two methods declare the job "daily"/],
        [Wrong, /Wrong\.never/],
      ] as const) {
        const schema = freshSchema('module');
        const storage = typeOrmStorage({ url: databaseUrl(), schema });
        const feature = { module: class Feature {}, providers: [provider] };
        await expect(boot(ChronisModule.forRoot({ storage }), [feature])).rejects.toThrow(problem);
        expect(await isThere(schema)).toBe(false);
      }
      const schema = freshSchema('module');
      await boot(ChronisModule.forRoot({ storage: typeOrmStorage({ url: databaseUrl(), schema }) }));
      expect(await isThere(schema)).toBe(true);
    } finally {
      await database.destroy();
    }
  });

  test('says how to name a database that is not there', async () => {
    const url = 'postgres://nobody@127.0.0.1:1/none';
    const storage = typeOrmStorage({ url, connectTimeoutMs: 300 });
    const failing: ChronisEventMap['storage.failing'][] = [];
    const on = { 'storage.failing': (event: ChronisEventMap['storage.failing']) => failing.push(event) };
    await expect(boot(ChronisModule.forRoot({ storage, on }))).rejects.toThrow(/127\.0\.0\.1:1/);
    // Not only when it gives up: until then the boot would stand still without a word.
    expect(failing[0]).toMatchObject({ operation: 'connect', retryInMs: 100 });
  });
});

import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import pg from 'pg';
import {
  ChronisEvents,
  ChronisModule,
  SchedulerService,
  StorageError,
  type RunContext,
  type StorageAdapter,
  type Wake,
} from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { typeOrmStorage, type TypeOrmServer, type TypeOrmStorageOptions } from '../../lib/typeorm/index.js';
import { connect } from '../../lib/typeorm/connect.js';
import { adapterSettings } from '../../lib/typeorm/typeorm.options.js';
import { TcpProxy } from '../chaos/tcp.proxy.js';
import { newStorage } from '../support/postgres.subject.js';
import { Gate } from '../support/real.app.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const admin = new pg.Client(databaseUrl());
const closing: (() => unknown)[] = [];
let schema: string;
let proxy: TcpProxy;
let url: string;

beforeAll(() => admin.connect());
afterAll(() => admin.end());

beforeEach(async () => {
  schema = freshSchema('silent');
  const target = new URL(databaseUrl());
  proxy = await TcpProxy.to(Number(target.port));
  target.host = `127.0.0.1:${proxy.port}`;
  url = target.href;
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  proxy.close();
  await admin.query(`drop schema if exists "${schema}" cascade`);
});

async function opened(options: TypeOrmStorageOptions = {}): Promise<StorageAdapter> {
  const storage = newStorage({ schema, url, statementTimeoutMs: 400, ...options });
  closing.unshift(() => storage.close());
  await storage.init();
  return storage;
}

const ref = { namespace: 'default', id: 'none' };

async function msUntil(work: Promise<unknown>): Promise<number> {
  const begunAt = performance.now();
  await work;
  return performance.now() - begunAt;
}

describe('connections that have gone silent for good', () => {
  test('cost one call, also when plans are to be thrown away first', async () => {
    const clock = new ManualClock();
    const storage = await opened({ clock, poolSize: 2 });
    await storage.getJob(ref);
    await clock.advanceBy(60_000);
    proxy.swallow();
    await expect(storage.getJob(ref)).rejects.toBeInstanceOf(StorageError);
    expect(await storage.getJob(ref)).toBeNull();
  });

  test('cost a transaction one call', async () => {
    const storage = await opened({ poolSize: 2 });
    await storage.cancelJob(ref);
    proxy.swallow();
    await expect(storage.cancelJob(ref)).rejects.toBeInstanceOf(StorageError);
    expect(await storage.cancelJob(ref)).toBeNull();
  });

  test('cost a rollback, whose failure names what it followed', async () => {
    const settings = adapterSettings({ url, statementTimeoutMs: 400 }, false);
    const database = await connect({ type: 'postgres', url }, settings);
    closing.unshift(() => database.close());
    const work = database.transaction(async (transaction) => {
      await transaction.run('select 1 / (0 * coalesce($1::float8, 1))').finally(() => proxy.swallow());
    });
    await expect(work).rejects.toThrow(
      /^A rollback failed: .*(no answer|timeout).*, after: .*division by zero/i,
    );
  });

  test('do not keep a storage from closing', async () => {
    const storage = await opened({ statementTimeoutMs: 10_000 });
    await storage.wakeSignal!.subscribe(() => undefined);
    await Promise.all([storage.now(), storage.now(), storage.now()]);
    proxy.swallowAll();
    const asked = expect(storage.now()).rejects.toBeInstanceOf(StorageError);
    // So that the call has its connection.
    await new Promise(setImmediate);
    expect(await msUntil(storage.close())).toBeLessThan(1_500);
    await asked;
  });

  test('do not keep a storage from closing while it opens one to listen', async () => {
    const storage = await opened({ statementTimeoutMs: 10_000 });
    proxy.swallowAll();
    const subscribed = expect(storage.wakeSignal!.subscribe(() => undefined)).rejects.toBeInstanceOf(
      StorageError,
    );
    expect(await msUntil(storage.close())).toBeLessThan(1_500);
    await subscribed;
  });

  test('cost whoever begins or ends to listen one call', async () => {
    const storage = await opened();
    await storage.wakeSignal!.subscribe(() => undefined);
    proxy.swallow();
    const begin = () => storage.eventChannel!.subscribe(() => undefined);
    await expect(begin()).rejects.toBeInstanceOf(StorageError);
    const leave = await begin();
    proxy.swallow();
    expect(await msUntil(leave())).toBeLessThan(1_500);
  });

  test('are noticed by those who only listen, told, and replaced', async () => {
    const clock = new ManualClock();
    const storage = await opened({ clock });
    const told: string[] = [];
    let tell = (): void => undefined;
    const until = (what: string): Promise<void> =>
      new Promise((resolve) => {
        tell = () => void (told.includes(what) && resolve());
        tell();
      });
    const note = (what: string): void => {
      told.push(what);
      tell();
    };
    await storage.wakeSignal!.subscribe((wake: Wake) => note(wake.kind), {
      lost: () => note('lost'),
      resumed: () => note('resumed'),
    });
    proxy.swallow();
    await clock.advanceBy(30_000);
    await until('lost');
    await clock.advanceBy(100);
    await until('change');
    expect(told).toEqual(['lost', 'resumed', 'change']);
  });

  test('do not keep the caller of a call in a transaction of its own waiting', async () => {
    const storage = await opened();
    const source = await new DataSource({
      type: 'postgres',
      url,
      poolErrorHandler: () => undefined,
    }).initialize();
    closing.unshift(() => source.destroy());
    const work = source.transaction(async (manager) => {
      const jobs = (await storage.joined!(manager))!;
      await jobs.getJob(ref);
      proxy.swallow();
      await jobs.getJob(ref);
    });
    await expect(work).rejects.toBeInstanceOf(StorageError);
  });
});

describe('an application on a database that has gone silent', () => {
  async function boot(
    handler: (context: RunContext) => unknown,
    options: Partial<TypeOrmStorageOptions> = {},
  ) {
    const storage = typeOrmStorage({
      schema,
      ...(options.dataSource ? {} : { url }),
      statementTimeoutMs: 400,
      ...options,
    } as TypeOrmStorageOptions & TypeOrmServer);
    const module = ChronisModule.forRoot({ storage, shutdownTimeoutMs: 1_000, concurrency: 20 });
    @Module({ imports: [module] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    const scheduler = app.get(SchedulerService);
    scheduler.registerHandler('work', handler);
    return { app, scheduler, events: app.get(ChronisEvents) };
  }

  test.each([
    [
      'heed their signal',
      ({ signal }: RunContext) => new Promise((end) => signal.addEventListener('abort', end)),
    ],
    ['do not', () => new Promise(() => undefined)],
  ])('ends within its time and two seconds, where handlers %s', async (_, handle) => {
    const begun = new Gate();
    const { app, scheduler } = await boot(
      async (context) => {
        begun.release();
        await handle(context);
      },
      { statementTimeoutMs: 10_000 },
    );
    await scheduler.createDateJob({ id: 'long', handler: 'work', runAt: new Date() });
    await begun.passed;
    proxy.swallowAll();
    expect(await msUntil(app.close())).toBeLessThan(3_000);
  });

  /** With one connection. */
  async function dataSourceOfApplication(): Promise<DataSource> {
    const dataSource = new DataSource({
      type: 'postgres',
      url,
      poolSize: 1,
      poolErrorHandler: () => undefined,
    });
    closing.unshift(() => dataSource.destroy());
    return dataSource.initialize();
  }

  const pools = ['the pool of Chronis', 'the DataSource of the application'];

  test.each(pools)('ends within its time and two seconds, beside an open transaction on %s', async (of) => {
    const begun = new Gate();
    const dataSource = of === pools[0] ? undefined : await dataSourceOfApplication();
    const { app, scheduler } = await boot(
      (context) =>
        context.transaction(async () => {
          begun.release();
          await new Promise((_, reject) => context.signal.addEventListener('abort', reject));
        }),
      { statementTimeoutMs: 10_000, ...(dataSource && { dataSource }) },
    );
    await scheduler.createDateJob({ id: 'long', handler: 'work', runAt: new Date() });
    await begun.passed;
    proxy.swallowAll();
    expect(await msUntil(app.close())).toBeLessThan(3_000);
    // The DataSource waits for its connection, which would wait for the rollback.
    proxy.cut();
  });

  test.each([
    [pools[0], 'verdict'],
    [pools[0], 'COMMIT'],
    [pools[1], 'BEGIN'],
    [pools[1], 'verdict'],
    [pools[1], 'COMMIT'],
  ])(
    'fails a transaction of a handler on %s that has no answer to its %s, and a later one finds a connection',
    async (of, silent) => {
      const dataSource = of === pools[0] ? undefined : await dataSourceOfApplication();
      let tries = 0;
      const errors: unknown[] = [];
      const { app, scheduler, events } = await boot(async (context) => {
        // By the second try the pool has a connection.
        const fails = ++tries === 2;
        if (fails && silent === 'BEGIN') proxy.swallow();
        if (fails && silent === 'COMMIT') proxy.holdNextCommit(() => undefined);
        try {
          await context.transaction(async () => {
            if (tries === 1) throw new Error('The first try only opens the pool.');
            if (fails && silent === 'verdict') proxy.swallow();
          });
        } catch (error) {
          errors.push(error);
          throw error;
        }
      }, dataSource && { dataSource });
      closing.unshift(() => app.close());
      const succeeded = events.once('run.succeeded');
      await scheduler.createDateJob({
        id: 'silent',
        handler: 'work',
        runAt: new Date(),
        maxRetries: 5,
        backoff: { type: 'fixed', delay: 10 },
      });
      // What has locked the run, and is never heard of again, is ended by the server after some deadlines.
      expect(await msUntil(succeeded)).toBeLessThan(12_000);
      expect(errors.length).toBeGreaterThan(1);
    },
  );

  test('has more transactions at once than connections for them, which wait', async () => {
    const { app, scheduler, events } = await boot((context) =>
      context.transaction(async (manager) => {
        await manager.query('select pg_sleep(0.25)');
      }),
    );
    closing.unshift(() => app.close());
    const failed: unknown[] = [];
    events.on('run.failed', (event) => failed.push(event));
    let left = 20;
    const all = new Promise<void>((resolve) => {
      events.on('run.succeeded', () => void (--left === 0 && resolve()));
      events.on('run.failed', () => resolve());
    });
    const jobs = Array.from({ length: 20 }, (_, n) => ({
      id: `many-${n}`,
      handler: 'work',
      runAt: new Date(),
    }));
    await Promise.all(jobs.map((job) => scheduler.createDateJob(job)));
    await all;
    expect(failed).toEqual([]);
  });
});

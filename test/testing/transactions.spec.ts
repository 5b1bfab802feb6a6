import { Global, Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource, type EntityManager } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  ChronisModule,
  ClaimLostError,
  InvalidOptionError,
  JobHandler,
  SchedulerService,
  StorageBusyError,
  TransactionNotSupportedError,
  type Clock,
  type RunContext,
  type SqlExecutor,
} from '../../lib/index.js';
import { ChronisTesting, ChronisTestingError } from '../../lib/testing/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

/** A manager that writes nowhere, and one of a library that mocks whatever is asked of it. */
const double = { save: async () => undefined } as unknown as EntityManager;
const mockOfAll = new Proxy(() => undefined, { get: (_, key) => (key === 'then' ? undefined : mockOfAll) });

@Injectable()
class Orders {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(SchedulerService) private readonly scheduler: SchedulerService,
  ) {}

  place(id: string, fail = false): Promise<void> {
    return this.dataSource.transaction(async (manager) => {
      await this.scheduler.createDateJob({ id, handler: 'remind', in: 0 }, { manager });
      expect(await this.scheduler.getJob(id, { manager })).toMatchObject({ id });
      expect(await this.scheduler.getJob(id)).toBeNull();
      if (fail) throw new Error('card declined');
    });
  }

  @JobHandler('remind')
  remind(): void {}
}

describe('transactions in a test in memory', () => {
  let chronis: ChronisTesting;
  afterEach(() => chronis.close());

  const ids = async (within = {}) =>
    (await chronis.scheduler.queryJobs({}, within)).items.map(({ id }) => id);
  const later = (id: string) => ({ id, handler: 'remind', in: '1h' });

  describe('of a service that gets a double of its DataSource', () => {
    const create = async (): Promise<Orders> => {
      const source = {
        transaction: (work: (manager: EntityManager) => unknown) => chronis.transaction(() => work(double)),
      };
      chronis = await ChronisTesting.create({
        providers: [Orders, { provide: DataSource, useValue: source }],
      });
      return chronis.app.get(Orders);
    };

    test('are seen when they are committed, and what is due then runs', async () => {
      const orders = await create();
      await orders.place('a');
      expect(await ids()).toEqual(['a']);
      expect(await chronis.runDue()).toMatchObject([{ jobId: 'a', outcome: 'succeeded' }]);
    });

    test('are gone when they are rolled back', async () => {
      const orders = await create();
      await expect(orders.place('a', true)).rejects.toThrow('card declined');
      expect(await ids()).toEqual([]);
      expect(await chronis.runDue()).toEqual([]);
    });

    test('lie within each other', async () => {
      const orders = await create();
      await chronis.transaction(async () => {
        await chronis.scheduler.createDateJob(later('outer'), { manager: double });
        await expect(orders.place('a', true)).rejects.toThrow('card declined');
        await orders.place('b');
        expect(await ids({ manager: double })).toEqual(['b', 'outer']);
        expect(await ids()).toEqual([]);
      });
      expect(await ids()).toEqual(['b', 'outer']);
    });
  });

  test('have a manager of their own, which is of no use afterwards', async () => {
    chronis = await ChronisTesting.create();
    const { scheduler } = chronis;
    scheduler.registerHandler('remind', () => undefined);
    const late = await chronis.transaction(async (manager) => {
      await scheduler.createDateJob(later('a'), { manager });
      expect(await ids()).toEqual([]);
      return manager;
    });
    expect(await ids()).toEqual(['a']);
    const refused = scheduler.createDateJob(later('b'), { manager: late });
    await expect(refused).rejects.toThrow('is not inside a transaction, or its transaction is over');
    expect(() => late.query('select 1', [])).toThrow(TransactionNotSupportedError);
  });

  test('begun by nobody are over with each call, whatever stands in for the manager', async () => {
    chronis = await ChronisTesting.create();
    chronis.scheduler.registerHandler('remind', () => undefined);
    for (const manager of [double, mockOfAll as never, { query: async () => [] }]) {
      await chronis.scheduler.createDateJob(later('a'), { manager });
      expect(await ids()).toEqual(['a']);
      await chronis.scheduler.withTransaction(manager, () => chronis.scheduler.deleteJob('a'));
      expect(await ids()).toEqual([]);
    }
    const none = chronis.scheduler.createDateJob(later('a'), { manager: 'manager' as never });
    await expect(none).rejects.toThrow(InvalidOptionError);
  });

  test('are found by the context, and leave alone what has none', async () => {
    let current: EntityManager | null = null;
    chronis = await ChronisTesting.create({ chronis: { transactionContext: () => current } });
    const { scheduler } = chronis;
    scheduler.registerHandler('remind', () => undefined);
    const undone = chronis.transaction(async () => {
      await scheduler.createDateJob(later('alone'));
      current = double;
      await scheduler.createDateJob(later('of the context'));
      await scheduler.withTransaction(double, () => scheduler.createDateJob(later('within')));
      await scheduler.createDateJob(later('outside'), { manager: null });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect(await ids({ manager: null })).toEqual(['alone', 'outside']);
  });

  test('see what others have done meanwhile, keep the ids that they told, and change what is there at the commit', async () => {
    chronis = await ChronisTesting.create();
    const { scheduler } = chronis;
    scheduler.registerHandler('remind', () => undefined);
    await scheduler.createIntervalJob({ id: 'a', handler: 'remind', every: '1h' });
    const told = await chronis.transaction(async () => {
      const { id } = await scheduler.runNow('a', { manager: double });
      const other = await scheduler.runNow('a');
      await scheduler.updateJob('a', { metadata: { changed: true } });
      expect(await scheduler.getJob('a', { manager: double })).toMatchObject({ metadata: { changed: true } });
      await scheduler.updateJob('a', { payload: 1 }, { manager: double });
      return [id, other.id];
    });
    await chronis.runDue();
    const executed = (await chronis.ledger('a')).map(({ runId }) => runId);
    expect(executed.toSorted()).toEqual(told.toSorted());
    expect(await scheduler.getJob('a')).toMatchObject({ metadata: { changed: true }, payload: 1 });
  });

  test('whose id was taken by others meanwhile are not committed, in no part', async () => {
    chronis = await ChronisTesting.create();
    const { scheduler } = chronis;
    scheduler.registerHandler('remind', () => undefined);
    const committed = chronis.transaction(async () => {
      await scheduler.createDateJob(later('mine'), { manager: double });
      await scheduler.createDateJob(later('taken'), { manager: double });
      await scheduler.createDateJob(later('taken'));
    });
    await expect(committed).rejects.toThrow(StorageBusyError);
    expect(await ids()).toEqual(['taken']);
  });

  test('cannot be added to when they have ended', async () => {
    chronis = await ChronisTesting.create();
    const { scheduler } = chronis;
    scheduler.registerHandler('remind', () => undefined);
    let late!: Promise<unknown>;
    let end!: () => void;
    const ended = new Promise<void>((resolve) => (end = resolve));
    await chronis.transaction(() => {
      late = ended.then(() => scheduler.createDateJob(later('late'), { manager: double }));
    });
    end();
    await expect(late).rejects.toThrow('its transaction has ended');
    expect(await ids()).toEqual([]);
  });

  describe('that handlers share with their verdict', () => {
    const written: string[] = [];
    afterEach(() => void written.splice(0));
    const manager = { save: async (row: string) => void written.push(row) };

    const run = async (
      handler: (context: RunContext) => Promise<unknown>,
      options: Parameters<typeof ChronisTesting.create>[0] = {},
    ) => {
      chronis = await ChronisTesting.create(options);
      chronis.scheduler.registerHandler('remind', () => undefined);
      chronis.scheduler.registerHandler('work', handler);
      await chronis.scheduler.createDateJob({ id: 'run', handler: 'work', in: 0, maxRetries: 1 });
      return (await chronis.drain()).map(({ jobId, outcome }) => `${jobId} ${outcome}`);
    };
    const save = (context: RunContext, fail: boolean) =>
      context.transaction(async (tx) => {
        await (tx as unknown as typeof manager).save('row');
        await chronis.scheduler.createDateJob(later(`child ${context.attempt}`), { manager: tx });
        expect(await ids()).not.toContain(`child ${context.attempt}`);
        if (fail) throw new Error('changed my mind');
        return 'done';
      });

    test('begin with what stands in for the DataSource, and are committed or rolled back with the verdict', async () => {
      const source = { transaction: (work: (tx: typeof manager) => unknown) => work(manager) };
      const executed = await run(
        async (context) => {
          await save(context, context.attempt === 1);
          throw new Error('after the commit');
        },
        { dataSource: source as never },
      );
      expect(executed).toEqual(['run failed', 'run succeeded', 'child 2 succeeded']);
      expect(written).toEqual(['row', 'row']);
      expect(await chronis.ledger('run')).toMatchObject([{ outcome: 'failed' }, { result: 'done' }]);
    });

    test('begin as another library begins them, or its double', async () => {
      const tx = { ...manager, query: async () => [] };
      const begin = (go: (executor: SqlExecutor, manager: typeof tx) => Promise<void>) => go(tx, tx);
      const executed = await run((context) =>
        context.transaction(
          async (given) => {
            await given.save('row');
            await chronis.scheduler.createDateJob(later('child'), { manager: given });
            expect(await ids()).not.toContain('child');
          },
          { begin },
        ),
      );
      expect(executed).toEqual(['run succeeded', 'child succeeded']);
    });

    test('are refused where nothing begins them, with what to do', async () => {
      const errors: unknown[] = [];
      await run((context) => save(context, false).catch((error: unknown) => errors.push(error)));
      expect(errors[0]).toBeInstanceOf(TransactionNotSupportedError);
      expect(String(errors[0])).toContain('Give ChronisTesting, or the MemoryStorage, a dataSource');
    });

    test('are rolled back when the run is not theirs any more', async () => {
      const errors: unknown[] = [];
      const source = { transaction: (work: (tx: typeof manager) => unknown) => work(manager) };
      await run(
        async (context) => {
          const transaction = context.transaction(async (tx) => {
            await chronis.scheduler.createDateJob(later('child'), { manager: tx });
            await chronis.scheduler.deleteJob('run');
          });
          await transaction.catch((error: unknown) => errors.push(error));
        },
        { dataSource: source as never },
      );
      expect(await ids()).not.toContain('run');
      expect(errors.filter((error) => !(error instanceof ClaimLostError))).toEqual([]);
    });
  });

  describe('of TypeORM on a database of its own', () => {
    let source: DataSource;
    beforeAll(async () => {
      source = await new DataSource({ type: 'postgres', url: databaseUrl() }).initialize();
    });
    afterAll(() => source.destroy());

    @Global()
    @Module({ providers: [{ provide: DataSource, useFactory: () => source }], exports: [DataSource] })
    class DatabaseModule {}
    @Module({ imports: [DatabaseModule, ChronisModule.forRoot()], providers: [Orders] })
    class AppModule {}

    test('end as it ends them, in whole and in part', async () => {
      chronis = await ChronisTesting.create({ imports: [AppModule] });
      const orders = chronis.app.get(Orders);
      await orders.place('a');
      await expect(orders.place('b', true)).rejects.toThrow('card declined');
      await source.transaction(async (manager) => {
        const create = (id: string, within: EntityManager) =>
          chronis.scheduler.createDateJob(later(id), { manager: within });
        await create('c', manager);
        await manager.transaction((inner) => create('d', inner));
        const undone = manager.transaction(async (inner) => {
          await create('e', inner);
          throw new Error('undone');
        });
        await expect(undone).rejects.toThrow('undone');
        expect(await ids({ manager })).toEqual(['a', 'c', 'd']);
        expect(await ids()).toEqual(['a']);
      });
      expect(await ids()).toEqual(['a', 'c', 'd']);
      const idle = chronis.scheduler.createDateJob(later('f'), { manager: source.manager });
      await expect(idle).rejects.toThrow('is not inside a transaction');
    });

    test('that begin within another one are undone without it', async () => {
      chronis = await ChronisTesting.create({ imports: [AppModule] });
      await source.transaction(async (manager) => {
        const undone = manager.transaction(async (inner) => {
          await chronis.scheduler.createDateJob(later('a'), { manager: inner });
          throw new Error('undone');
        });
        await expect(undone).rejects.toThrow('undone');
        await chronis.scheduler.createDateJob(later('b'), { manager });
      });
      expect(await ids()).toEqual(['b']);
    });

    test('are not committed where others have taken an id meanwhile', async () => {
      chronis = await ChronisTesting.create({ imports: [AppModule] });
      let committed = true;
      const transaction = source.transaction(async (manager) => {
        await manager.query('select 1');
        await chronis.scheduler.createDateJob(later('a'), { manager });
        await chronis.scheduler.createDateJob(later('a'));
        committed = false;
      });
      await expect(transaction).rejects.toThrow(StorageBusyError);
      expect([committed, await ids()]).toEqual([false, ['a']]);
    });

    test('are those of handlers, by the token of the DataSource', async () => {
      chronis = await ChronisTesting.create({ imports: [AppModule], dataSource: DataSource });
      const seen: unknown[] = [];
      chronis.scheduler.registerHandler('work', (context: RunContext) =>
        context.transaction(async (manager) => {
          seen.push(await (manager as EntityManager).query('select 1 as one'));
          await chronis.scheduler.createDateJob(later('child'), { manager });
        }),
      );
      await chronis.scheduler.createDateJob({ id: 'run', handler: 'work', in: 0 });
      await chronis.runDue();
      expect([seen, await ids()]).toEqual([[[{ one: 1 }]], ['child']]);
    });
  });

  describe('of a DataSource that the test provides', () => {
    const saved: unknown[] = [];
    const manager = { save: (row: unknown) => void saved.push(row) };
    const double = {
      transaction: <T>(work: (m: typeof manager) => Promise<T>) => chronis.transaction(() => work(manager)),
    };
    const provider = { provide: 'orders DataSource', useFactory: async () => double };

    async function runsInIt(): Promise<void> {
      saved.length = 0;
      chronis.scheduler.registerHandler('work', ({ transaction, runId }) =>
        transaction(async (given) => {
          (given as unknown as typeof manager).save(runId);
          await chronis.scheduler.createDateJob({ ...later('child'), handler: 'work' }, { manager: given });
        }),
      );
      await chronis.scheduler.createDateJob({ id: 'run', handler: 'work', in: 0 });
      const [{ outcome, runId }] = await chronis.runDue();
      expect([outcome, saved, await ids()]).toEqual(['succeeded', [runId], ['child']]);
    }

    test('are those of handlers, by its token, though no module exports it', async () => {
      chronis = await ChronisTesting.create({ providers: [provider], dataSource: 'orders DataSource' });
      await runsInIt();
    });

    test('are so in an application that was built by other means', async () => {
      @Module({
        imports: [ChronisTesting.module({ dataSource: 'orders DataSource' }), ChronisModule.forRoot()],
        providers: [provider],
      })
      class AppModule {}
      const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
      chronis = ChronisTesting.of(app);
      await runsInIt();
    });

    test('are missed at the start where nobody provides it', async () => {
      const missing = ChronisTesting.create({ dataSource: 'orders DataSource' });
      await expect(missing).rejects.toThrow(
        'dataSource: no module of the application provides "orders DataSource". Provide it, or give what stands in for it',
      );
    });

    test('are missed at the start where what is given begins none', async () => {
      const without = { provide: 'orders DataSource', useValue: { query: () => [] } };
      const provided = ChronisTesting.create({ providers: [without], dataSource: 'orders DataSource' });
      await expect(provided).rejects.toThrow(
        'dataSource: what stands for "orders DataSource" has no function transaction. Give one: { transaction: (work) => work(manager) }.',
      );
      for (const dataSource of [{}, null]) {
        await expect(ChronisTesting.create({ dataSource: dataSource as never })).rejects.toThrow(
          'dataSource: has no function transaction. Give one: { transaction: (work) => work(manager) }.',
        );
      }
    });
  });

  test('are not those of a storage that has its own', async () => {
    const schema = freshSchema('testing_tx');
    const storage = (clock: Clock) => typeOrmStorage({ url: databaseUrl(), schema, clock });
    chronis = await ChronisTesting.create({ storage });
    await expect(chronis.transaction(() => undefined)).rejects.toThrow(ChronisTestingError);
    const both = ChronisTesting.create({ storage, dataSource: DataSource });
    await expect(both).rejects.toThrow('is for the storage in memory');
  });
});

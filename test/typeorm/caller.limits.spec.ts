import pg from 'pg';
import { DataSource, QueryFailedError, type EntityManager } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  InvalidOptionError,
  JobAlreadyExistsError,
  TransactionNotSupportedError,
  type SchedulerService,
} from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { TransactionalApp } from '../support/transactional.app.js';

describe('a transaction of the caller', () => {
  let app: TransactionalApp;
  let scheduler: SchedulerService;

  beforeAll(async () => {
    app = await TransactionalApp.create('limits');
    ({ scheduler } = await app.boot());
    scheduler.registerHandler('work', () => undefined);
  });
  afterAll(() => app.close());
  beforeEach(() => app.empty());

  const job = (id: string, given = {}) => ({ id, handler: 'work', in: '1h', ...given });
  const count = () => scheduler.countJobs();

  describe('goes on after a call that was refused', () => {
    test('because its id is taken', async () => {
      await scheduler.createDateJob(job('a'));
      await app.source.transaction(async (manager) => {
        await app.insert(manager);
        await expect(scheduler.createDateJob(job('a'), { manager })).rejects.toThrow(JobAlreadyExistsError);
        await expect(
          scheduler.createIntervalJob({ id: 'a', handler: 'work', hours: 1 }, { manager }),
        ).rejects.toThrow(JobAlreadyExistsError);
        await scheduler.createDateJob(job('b'), { manager });
        const results = await scheduler.createMany([job('a'), job('b'), job('c')], { manager });
        expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'created']);
        await app.insert(manager);
      });
      expect([await count(), await app.effects()]).toEqual([3, 2]);
    });

    test('because there is no such job, or its revision is stale', async () => {
      const { revision } = await scheduler.createDateJob(job('a'));
      await app.source.transaction(async (manager) => {
        await expect(scheduler.deleteJob('nobody', { manager })).rejects.toThrow('There is no job "nobody"');
        await expect(scheduler.retryRun('77', { manager })).rejects.toThrow('There is no run "77"');
        const expectedRevision = revision + 1;
        const stale = scheduler.updateJob('a', { payload: 1 }, { manager, expectedRevision });
        await expect(stale).rejects.toThrow('was changed by somebody else');
        await app.insert(manager);
      });
      expect(await app.effects()).toBe(1);
    });
  });

  test('goes on after a call that waited too long for somebody else, with its own deadline', async () => {
    const patient = await app.boot({ storage: { statementTimeoutMs: 500 } });
    patient.scheduler.registerHandler('work', () => undefined);
    await scheduler.createDateJob(job('a'));
    await app.client.query('begin');
    await app.client.query(`select from "${app.schema}".run for update`);
    try {
      await app.source.transaction(async (manager) => {
        await manager.query(`set local statement_timeout = '77s'`);
        await app.insert(manager);
        await expect(patient.scheduler.cancelJob('a', { manager })).rejects.toThrow('statement timeout');
        await patient.scheduler.createDateJob(job('b'), { manager });
        await app.insert(manager);
        expect(await manager.query('show statement_timeout')).toEqual([{ statement_timeout: '77s' }]);
      });
    } finally {
      await app.client.query('rollback');
    }
    expect([await count(), await app.effects()]).toEqual([2, 2]);
  });

  test('is required of the manager', async () => {
    for (const manager of [app.source.manager, app.source.createQueryRunner().manager, app.source])
      await expect(scheduler.createDateJob(job('a'), { manager })).rejects.toThrow(
        'manager: is not inside a transaction',
      );
    let late!: EntityManager;
    await app.source.transaction(async (manager) => void (late = manager));
    await expect(scheduler.createDateJob(job('a'), { manager: late })).rejects.toThrow(InvalidOptionError);
    for (const none of ['manager', {}, () => undefined, { query: 'select 1' }, 5])
      await expect(scheduler.createDateJob(job('a'), { manager: none as never })).rejects.toThrow(
        /must be an EntityManager of TypeORM.*docs\/guides\/transactions\.md has an executorOf\(tx\)/,
      );
    const other = { connection: { options: { type: 'mysql' } } } as never;
    await expect(scheduler.createDateJob(job('a'), { manager: other })).rejects.toThrow(
      TransactionNotSupportedError,
    );
    expect(await count()).toBe(0);
  });

  test('is not outlived by a call: nothing is written by a connection that serves somebody else', async () => {
    const storage = await app.storage();
    let jobs: Awaited<ReturnType<NonNullable<typeof storage.joined>>> = null;
    await app.source.transaction(async (manager) => void (jobs = await storage.joined!(manager)));
    const ref = { namespace: 'default', id: 'a' };
    await expect(jobs!.getJob(ref)).rejects.toThrow('its transaction has ended');
  });

  test('may be begun by a QueryRunner, and be nested', async () => {
    const runner = app.source.createQueryRunner();
    await runner.startTransaction();
    const { manager } = runner;
    await scheduler.createDateJob(job('outer'), { manager });
    const nested = manager.transaction(async (inner) => {
      await scheduler.createDateJob(job('inner'), { manager: inner });
      expect(await scheduler.countJobs({}, { manager: inner })).toBe(2);
      throw new Error('only the inner one');
    });
    await expect(nested).rejects.toThrow('only the inner one');
    expect(await scheduler.countJobs({}, { manager })).toBe(1);
    await runner.commitTransaction();
    await runner.release();
    expect((await scheduler.queryJobs()).items.map(({ id }) => id)).toEqual(['outer']);
  });

  test('reads columns whatever parsers the application has', async () => {
    const types = { getTypeParser: () => (text: string) => `parsed ${text}` };
    const source = await new DataSource({
      type: 'postgres',
      url: databaseUrl(),
      extra: { types },
    }).initialize();
    await source.transaction(async (manager) => {
      const created = await scheduler.createDateJob(job('a', { payload: { x: [1] } }), { manager });
      expect(await scheduler.getJob('a', { manager })).toEqual(created);
    });
    await source.destroy();
  });

  describe('elsewhere is refused, and stays usable', () => {
    const elsewhere = `other_${freshSchema()}`;
    let source: DataSource;

    beforeAll(async () => {
      await app.client.query(`create database "${elsewhere}"`);
      const url = new URL(databaseUrl());
      url.pathname = `/${elsewhere}`;
      source = await new DataSource({ type: 'postgres', url: url.href }).initialize();
    });
    afterAll(async () => {
      await source.destroy();
      await app.client.query(`drop database "${elsewhere}" with (force)`);
    });

    const refusal = async (): Promise<unknown> => {
      let error: unknown;
      await source.transaction(async (manager) => {
        await scheduler.createDateJob(job('a'), { manager }).catch((reason: unknown) => (error = reason));
        expect(await manager.query('select 1 as one')).toEqual([{ one: 1 }]);
      });
      return error;
    };

    test('without the tables of the jobs', async () => {
      const error = await refusal();
      expect(error).toBeInstanceOf(TransactionNotSupportedError);
      expect(String(error)).toContain('manager: its connection does not see the tables of the jobs');
    });

    test('with tables of another installation', async () => {
      const url = (source.options as { url: string }).url;
      const other = await typeOrmStorage({ url, schema: app.schema }).create();
      await other.init();
      await other.close();
      const error = await refusal();
      expect(error).toBeInstanceOf(TransactionNotSupportedError);
      expect(String(error)).toContain('on another database');
      expect(await count()).toBe(0);
    });
  });

  describe('at a higher isolation level', () => {
    test.each(['REPEATABLE READ', 'SERIALIZABLE'] as const)(
      '%s creates, reads and runs, but changes nothing',
      async (level) => {
        await scheduler.createIntervalJob({ id: 'old', handler: 'work', hours: 1 });
        await app.source.transaction(level, async (manager) => {
          await scheduler.createDateJob(job('a'), { manager });
          await scheduler.createIntervalJob({ id: 'b', handler: 'work', hours: 1 }, { manager });
          await scheduler.runNow('old', { manager });
          const pause = scheduler.pauseJob('old', { manager });
          await expect(pause).rejects.toThrow(TransactionNotSupportedError);
          await expect(pause).rejects.toThrow(`"${level.toLowerCase()}"`);
          await expect(scheduler.upsert(job('old'), { manager })).rejects.toThrow('needs "read committed"');
          expect(await scheduler.countJobs({}, { manager })).toBe(3);
        });
        expect((await scheduler.getRuns()).items.map(({ origin }) => origin).toSorted()).toEqual([
          'at',
          'manual',
        ]);
        expect((await scheduler.getJob('old'))!.paused).toBeNull();
      },
    );

    test('hands on what the database refuses because of others, in the words of TypeORM', async () => {
      let error: unknown;
      await app.source.transaction('REPEATABLE READ', async (manager) => {
        await manager.query('select 1');
        await manager.query(`select from "${app.schema}".effect`);
        await scheduler.createDateJob(job('a'));
        await scheduler.createDateJob(job('a'), { manager }).catch((reason: unknown) => (error = reason));
        await app.insert(manager);
      });
      expect(error).toBeInstanceOf(QueryFailedError);
      expect(error).toMatchObject({ code: '40001' });
      expect([await count(), await app.effects()]).toEqual([1, 1]);
    });
  });

  // Real locks: a machine that stalls for longer than the search for deadlocks is told from a fault by another try.
  describe('that meets others', { retry: 2 }, () => {
    const impatient = (manager: EntityManager) => manager.query(`set local deadlock_timeout = '30ms'`);

    test('waits for an id that another one may take', async () => {
      const first = app.source.createQueryRunner();
      await first.startTransaction();
      await scheduler.createDateJob(job('a'), { manager: first.manager });
      let waits = true;
      const second = app.source.transaction((manager) =>
        scheduler.createDateJob(job('a'), { manager }).finally(() => (waits = false)),
      );
      await app.waiting();
      expect(waits).toBe(true);
      await first.rollbackTransaction();
      await first.release();
      expect((await second).id).toBe('a');
      expect(await count()).toBe(1);
    });

    test('goes on from the savepoint after a deadlock that its own locks made', async () => {
      await scheduler.createIntervalJob({ id: 'a', handler: 'work', hours: 1 });
      await scheduler.runNow('a');
      const other = new pg.Client(databaseUrl());
      await other.connect();
      await other.query(`begin; set local deadlock_timeout = '10s'`);
      await other.query(`update "${app.schema}".run set priority = 1 where not keyed`);
      const deleting = app.source.transaction(async (manager) => {
        // PostgreSQL looks for a deadlock once, so long after the wait began: the other one has to wait by then.
        await manager.query(`set local deadlock_timeout = '1500ms'`);
        await app.insert(manager);
        await scheduler.deleteJob('a', { manager });
      });
      await app.waiting();
      // Waits for the job, which the deletion has locked, while that waits for the run.
      await other.query(`select from "${app.schema}".job for update`);
      await other.query('commit');
      await other.end();
      await deleting;
      expect([await count(), await app.effects()]).toEqual([0, 1]);
    });

    test('tells of a deadlock that earlier calls made, after a few attempts', async () => {
      const first = app.source.createQueryRunner();
      await first.startTransaction();
      await first.query(`set local deadlock_timeout = '10s'`);
      await scheduler.createDateJob(job('a'), { manager: first.manager });
      let error: unknown;
      const second = app.source.transaction(async (manager) => {
        await impatient(manager);
        await scheduler.createDateJob(job('b'), { manager });
        const taken = scheduler.createDateJob(job('b'), { manager: first.manager });
        // Told as soon as this transaction commits, which may be before its own answer is here.
        const blocked = expect(taken).rejects.toThrow(JobAlreadyExistsError);
        await app.waiting();
        await scheduler.createDateJob(job('a'), { manager }).catch((reason: unknown) => (error = reason));
        return { blocked };
      });
      const { blocked } = await second;
      await blocked;
      await first.commitTransaction();
      await first.release();
      expect(error).toBeInstanceOf(QueryFailedError);
      expect(error).toMatchObject({ code: '40P01' });
      expect((await scheduler.queryJobs()).items.map(({ id }) => id)).toEqual(['a', 'b']);
    });
  });
});

import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  ChronisModule,
  ClaimLostError,
  RunSettledError,
  SchedulerService,
  TransactionNotSupportedError,
  type ChronisEventName,
  type RunContext,
} from '../../lib/index.js';
import { typeOrmStorage, type TypeOrmServer, type TypeOrmStorageOptions } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

type Close = () => Promise<void>;

describe('a transaction that a handler shares with its verdict', () => {
  const client = new pg.Client(databaseUrl());
  const watcher = new pg.Client(databaseUrl());
  const opened: Close[] = [];
  let schema: string;

  beforeAll(() => Promise.all([client.connect(), watcher.connect()]));
  afterAll(() => Promise.all([client.end(), watcher.end()]));

  beforeEach(async () => {
    schema = freshSchema('transaction');
    await client.query(`create schema "${schema}"; create table "${schema}".effect (run_id text)`);
  });

  afterEach(async () => {
    for (const close of opened.splice(0)) await close();
    await client.query(`drop schema "${schema}" cascade`);
  });

  /** Runs one job with this handler, until the first event that tells its end. */
  async function runOnce(
    handler: (context: RunContext, insert: string) => unknown,
    given: { storage?: Partial<TypeOrmStorageOptions>; job?: object } = {},
  ): Promise<{ names: ChronisEventName[] }> {
    const server = given.storage?.dataSource ? {} : { url: databaseUrl() };
    const options = { schema, ...server, ...given.storage } as TypeOrmStorageOptions & TypeOrmServer;
    const storage = typeOrmStorage(options);
    @Module({ imports: [ChronisModule.forRoot({ storage })] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    opened.unshift(() => app.close());
    const events = app.get(ChronisEvents);
    const names: ChronisEventName[] = [];
    events.onAny((name) => names.push(name));
    const ended = Promise.race(
      (['run.succeeded', 'run.failed', 'run.stale', 'run.timed_out'] as const).map((name) =>
        events.once(name),
      ),
    );
    const scheduler = app.get(SchedulerService);
    scheduler.registerHandler('work', (context: RunContext) =>
      handler(context, `insert into "${schema}".effect values ('${context.runId}')`),
    );
    await scheduler.createDateJob({ id: 'once', handler: 'work', runAt: new Date(), ...given.job });
    await ended;
    return { names };
  }

  async function dataSource(url = databaseUrl()): Promise<DataSource> {
    const source = await new DataSource({ type: 'postgres', url }).initialize();
    opened.push(() => source.destroy());
    return source;
  }

  /** Resolves when so many statements, one after the other, were seen to wait for a lock of `client`. */
  async function seenWaiting(count: number): Promise<void> {
    const [{ pid }] = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows as [
      { pid: number },
    ];
    const seen = new Set<string>();
    const text = `select query_start::text as began from pg_stat_activity where $1 = any (pg_blocking_pids(pid))`;
    while (seen.size < count) {
      const { rows } = await watcher.query<{ began: string }>(text, [pid]);
      for (const { began } of rows) seen.add(began);
    }
  }

  const effects = async () => (await client.query(`select run_id from "${schema}".effect`)).rowCount;
  const ledger = async () =>
    (await client.query(`select outcome, final, result from "${schema}".attempt order by fence`))
      .rows as object[];

  test('works where the application has changed the parsers of pg', async () => {
    const { types } = pg;
    const oids = [16, 20, 21, 23, 25, 114, 701, 1184, 3802];
    const before = oids.map((oid) => [oid, types.getTypeParser(oid)] as const);
    // TypeORM itself has to know a name of what it reads when it connects.
    const change = (changed: readonly number[]): void => {
      for (const oid of changed)
        types.setTypeParser(oid, (text) => (oid === 25 ? text.toUpperCase() : text) as never);
    };
    try {
      change(oids.filter((oid) => oid !== 25));
      const failures: unknown[] = [];
      const { names } = await runOnce(async ({ transaction }, insert) => {
        change([25]);
        await transaction((manager) => manager.query(insert)).catch((error: unknown) => {
          failures.push(error);
          throw error;
        });
      });
      expect(failures).toEqual([]);
      expect(names).toContain('run.succeeded');
    } finally {
      for (const [oid, parse] of before) types.setTypeParser(oid, parse as never);
    }
  });

  test('gives birth to the callback with the verdict', async () => {
    const given = { job: { onSuccess: 'after', allowUnknownHandler: true } };
    await runOnce((context, insert) => context.transaction((manager) => manager.query(insert)), given);
    const { rows } = await client.query<{ job_id: string; payload: object }>(
      `select job_id, payload from "${schema}".run where origin = 'callback' and handler = 'after'`,
    );
    expect(rows).toHaveLength(1);
    expect(rows[0].payload).toMatchObject({ jobId: 'once', verdict: 'succeeded' });
  });

  test('rolls the callback back with the rows of the handler, also when the commit itself fails', async () => {
    await client.query(
      `alter table "${schema}".effect add constraint once unique (run_id) deferrable initially deferred`,
    );
    const given = { job: { onSuccess: 'after', allowUnknownHandler: true } };
    const { names } = await runOnce(
      (context, insert) =>
        context.transaction(async (manager) => {
          await manager.query(insert);
          await manager.query(insert);
        }),
      given,
    );
    expect(names).toContain('run.failed');
    const { rows } = await client.query(`select from "${schema}".run where origin = 'callback'`);
    expect(rows).toHaveLength(0);
  });

  test('commits the rows of the handler and the verdict together', async () => {
    const { names } = await runOnce(async (context, insert) => {
      await context.transaction(async (manager) => {
        await manager.query(insert);
        return { inserted: 1 };
      });
      const { rows } = await client.query(`select outcome from "${schema}".attempt`);
      expect(rows).toEqual([{ outcome: 'succeeded' }]);
      return 'ignored';
    });
    expect(await effects()).toBe(1);
    expect(await ledger()).toEqual([{ outcome: 'succeeded', final: true, result: { inserted: 1 } }]);
    expect(names.filter((name) => name === 'run.succeeded')).toHaveLength(1);
    expect(names).not.toContain('run.stale');
    expect(names).not.toContain('run.threw-after-commit');
  });

  test('uses the DataSource that the storage was made from', async () => {
    const source = await dataSource();
    let same = false;
    await runOnce(
      ({ transaction }, insert) =>
        transaction((manager) => {
          same = manager.connection === source;
          return manager.query(insert);
        }),
      { storage: { dataSource: source } },
    );
    expect([same, await effects()]).toEqual([true, 1]);
  });

  test.each([
    ['commits', null],
    ['fails', 'select * from no_such_table'],
  ])('is waited for where the handler does not await it: it %s', async (what, failing) => {
    const { names } = await runOnce(({ transaction }, insert) => {
      void transaction(async (manager) => {
        await manager.query(insert);
        if (failing !== null) await manager.query(failing);
      });
    });
    expect(await effects()).toBe(what === 'commits' ? 1 : 0);
    expect(await ledger()).toMatchObject([{ outcome: what === 'commits' ? 'succeeded' : 'failed' }]);
    expect(names).not.toContain('run.stale');
  });

  test('uses the DataSource that the call names', async () => {
    const source = await dataSource();
    await runOnce(({ transaction }, insert) =>
      transaction((manager) => manager.query(insert), { dataSource: source }),
    );
    expect(await effects()).toBe(1);
    expect(await ledger()).toMatchObject([{ outcome: 'succeeded' }]);
  });

  test('writes nothing when its work throws, and may then be tried again', async () => {
    await runOnce(async ({ transaction }, insert) => {
      const failing = transaction(async (manager) => {
        await manager.query(insert);
        throw new Error('changed my mind');
      });
      await expect(failing).rejects.toThrow('changed my mind');
      expect([await effects(), await ledger()]).toEqual([0, []]);
      await transaction((manager) => manager.query(insert));
    });
    expect(await effects()).toBe(1);
    expect(await ledger()).toMatchObject([{ outcome: 'succeeded', final: true }]);
  });

  test.each(['repeatable read', 'serializable'])(
    'is at read committed where the role has %s, so that what is noted of the run meanwhile does no harm',
    async (level) => {
      const options = `-c default_transaction_isolation=${level.replace(' ', '\\ ')}`;
      const source = await new DataSource({
        type: 'postgres',
        url: databaseUrl(),
        extra: { options },
      }).initialize();
      opened.push(() => source.destroy());
      await runOnce(
        ({ transaction, runId }, insert) =>
          transaction(async (manager) => {
            await manager.query(insert);
            // As a beat does that parks it, or somebody who asks for its cancellation.
            await client.query(`update "${schema}".run set lost_count = lost_count where id = $1`, [runId]);
          }),
        { storage: { dataSource: source } },
      );
      expect(await effects()).toBe(1);
      expect(await ledger()).toMatchObject([{ outcome: 'succeeded', final: true }]);
    },
  );

  test.each(['its own pool', 'a DataSource'])(
    'waits for somebody who has locked its run, however long: on %s',
    async (pool) => {
      const storage = {
        statementTimeoutMs: 1_000,
        ...(pool === 'a DataSource' && { dataSource: await dataSource() }),
      };
      const { names } = await runOnce(
        async ({ transaction, runId }, insert) => {
          await client.query('begin');
          await client.query(`select from "${schema}".run where id = $1 for update`, [runId]);
          const done = transaction((manager) => manager.query(insert));
          try {
            await Promise.race([done, seenWaiting(3)]);
          } finally {
            await client.query('rollback');
          }
          await done;
        },
        { storage },
      );
      expect(names).toContain('run.succeeded');
      expect(await effects()).toBe(1);
      expect(await ledger()).toMatchObject([{ outcome: 'succeeded', final: true }]);
    },
  );

  test('does not wait longer for somebody who has locked its run than the lease holds', async () => {
    let error: unknown;
    const { names } = await runOnce(
      async ({ transaction, runId }, insert) => {
        await client.query(`begin; select from "${schema}".run where id = ${runId} for update`);
        const done = transaction((manager) => manager.query(insert)).catch(
          (reason: unknown) => (error = reason),
        );
        await seenWaiting(1);
        await watcher.query(`update "${schema}".worker set released_at = now()`);
        await done;
        await client.query('rollback');
        throw error;
      },
      { storage: { statementTimeoutMs: 1_000 } },
    );
    expect(error).toBeInstanceOf(ClaimLostError);
    expect(await effects()).toBe(0);
    expect(names).not.toContain('run.succeeded');
  });

  test('is rolled back when the run has got another owner', async () => {
    let error: unknown;
    const { names } = await runOnce(async ({ transaction, runId }, insert) => {
      const late = transaction(async (manager) => {
        await manager.query(insert);
        await client.query(`update "${schema}".run set fence = fence + 1, worker = 'other' where id = $1`, [
          runId,
        ]);
      });
      await late.catch((reason: unknown) => (error = reason));
      throw error;
    });
    expect(error).toBeInstanceOf(ClaimLostError);
    expect([await effects(), await ledger()]).toEqual([0, []]);
    expect(names).toContain('run.stale');
  });

  test('is refused a second time', async () => {
    let error: unknown;
    await runOnce(async ({ transaction }, insert) => {
      await transaction((manager) => manager.query(insert));
      await transaction((manager) => manager.query(insert)).catch((reason: unknown) => (error = reason));
    });
    expect(error).toBeInstanceOf(RunSettledError);
    expect(await effects()).toBe(1);
  });

  test('stands when the handler throws afterwards, and the error is told', async () => {
    const { names } = await runOnce(
      async ({ transaction }, insert) => {
        await transaction((manager) => manager.query(insert));
        throw new Error('too late');
      },
      { job: { maxRetries: 3 } },
    );
    expect(await effects()).toBe(1);
    expect(await ledger()).toMatchObject([{ outcome: 'succeeded', final: true }]);
    expect(names).toContain('run.threw-after-commit');
    expect(names).not.toContain('run.retrying');
  });

  test('counts when it commits within the grace time of a timeout', async () => {
    const { names } = await runOnce(
      async ({ transaction, signal }, insert) => {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        await transaction((manager) => manager.query(insert));
      },
      { job: { timeout: '100ms' } },
    );
    expect(names).toContain('run.succeeded');
    expect(await ledger()).toMatchObject([{ outcome: 'succeeded', final: true }]);
  });

  describe('with a DataSource elsewhere', () => {
    const elsewhere = `other_${freshSchema()}`;
    const otherUrl = (): string => {
      const url = new URL(databaseUrl());
      url.pathname = `/${elsewhere}`;
      return url.href;
    };

    beforeAll(() => client.query(`create database "${elsewhere}"`));
    afterAll(() => client.query(`drop database "${elsewhere}" with (force)`));

    const errorOf = async (source: DataSource): Promise<unknown> => {
      let error: unknown;
      let called = false;
      await runOnce(async ({ transaction }) => {
        const work = () => (called = true);
        await transaction(work, { dataSource: source }).catch((reason: unknown) => (error = reason));
      });
      expect(called).toBe(false);
      return error;
    };

    test('refuses what is no DataSource', async () => {
      const error = await errorOf('a token' as never);
      expect(error).toBeInstanceOf(TransactionNotSupportedError);
      expect(String(error)).toContain('no DataSource');
    });

    test('refuses a database without the tables of the jobs', async () => {
      const error = await errorOf(await dataSource(otherUrl()));
      expect(error).toBeInstanceOf(TransactionNotSupportedError);
      expect(String(error)).toContain(schema);
    });

    test('refuses a database with another installation in a schema of the same name', async () => {
      const other = typeOrmStorage({ url: otherUrl(), schema }).create();
      const storage = await other;
      await storage.init();
      await storage.close();
      const error = await errorOf(await dataSource(otherUrl()));
      expect(error).toBeInstanceOf(TransactionNotSupportedError);
      expect(String(error)).toContain('another database');
    });
  });
});

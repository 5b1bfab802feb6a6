import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  InvalidOptionError,
  JobAlreadyExistsError,
  StorageError,
  TransactionNotSupportedError,
  type RunContext,
  type SchedulerService,
  type SqlExecutor,
} from '../../lib/index.js';
import { runLaw, storageLaws } from '../../lib/testing/index.js';
import { PostgresLawBench } from '../support/postgres.subject.js';
import { databaseUrl } from '../support/schema.js';
import { inTransaction, StrictExecutor } from '../support/strict.executor.js';
import { TransactionalApp } from '../support/transactional.app.js';

describe('a transaction of another library keeps the laws', () => {
  const bench = new PostgresLawBench();
  beforeAll(() => bench.open());
  afterAll(() => bench.close());

  for (const law of storageLaws().filter(({ name }) => name.startsWith('a transaction of the caller: ')))
    test(law.name, () => runLaw(law, () => bench.executorSubject()));
});

describe('a SqlExecutor', () => {
  const client = new pg.Client(databaseUrl());
  let app: TransactionalApp;
  let scheduler: SchedulerService;

  beforeAll(async () => {
    await client.connect();
    app = await TransactionalApp.create('executor');
    ({ scheduler } = await app.boot());
    scheduler.registerHandler('work', () => undefined);
  });
  afterAll(async () => {
    await client.end();
    await app.close();
  });
  beforeEach(() => app.empty());

  const job = (id: string, given = {}) => ({ id, handler: 'work', in: '1h', ...given });
  const ids = async () => (await scheduler.queryJobs()).items.map(({ id }) => id);
  const insert = () => client.query(`insert into "${app.schema}".effect values ('row')`);

  test('stores what it is given, character by character', async () => {
    const strange = { text: `"{}", \\n \\\\ 'a' $1 NULL \u001f€`, list: [null, true, 1e21, 'x', { y: [] }] };
    await inTransaction(client, async (manager) => {
      await scheduler.createDateJob(job('a', { payload: strange, metadata: strange }), { manager });
      await scheduler.createMany([job('b', { payload: 'NULL', name: 'a, "b"' }), job('c')], { manager });
    });
    expect(await scheduler.getJob('a')).toMatchObject({ payload: strange, metadata: strange });
    expect(await scheduler.getJob('b')).toMatchObject({ payload: 'NULL', name: 'a, "b"' });
  });

  test('may be a client of pg', async () => {
    await inTransaction(client, async () => {
      await scheduler.createDateJob(job('a'), { manager: client });
      expect(await ids()).toEqual([]);
    });
    expect(await ids()).toEqual(['a']);
  });

  test('is found by the context, and stands back where there is no transaction', async () => {
    const { scheduler: other } = await app.boot({ chronis: { transactionContext: () => client } });
    other.registerHandler('work', () => undefined);
    await other.createDateJob(job('alone'));
    await inTransaction(client, async () => {
      await other.createDateJob(job('undone'));
      throw new Error('undone');
    }).catch(() => undefined);
    expect(await ids()).toEqual(['alone']);
  });

  test('made anew for each call takes turns with the others of its transaction', async () => {
    await scheduler.createDateJob(job('taken'));
    await inTransaction(client, async () => {
      const calls = Array.from({ length: 12 }, (_, i) =>
        scheduler.createIntervalJob(
          { id: i % 3 === 0 ? 'taken' : `job-${i}`, handler: 'work', hours: 1 },
          { manager: new StrictExecutor(client) },
        ),
      );
      const results = await Promise.allSettled(calls);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
      await insert();
    });
    expect([await scheduler.countJobs(), await app.effects()]).toEqual([9, 1]);
  });

  test('goes on after a call that was refused', async () => {
    await inTransaction(client, async (manager) => {
      await scheduler.createDateJob(job('a'), { manager });
      const again = scheduler.createDateJob(job('a'), { manager });
      await expect(again).rejects.toThrow(JobAlreadyExistsError);
      await insert();
    });
    expect([await ids(), await app.effects()]).toEqual([['a'], 1]);
  });

  test.each(['savepoint', 'insert into'])(
    'rejects a call whose "%s" has no answer in time, and the process lives',
    async (silent) => {
      const { scheduler: own } = await app.boot({ storage: { statementTimeoutMs: 100 } });
      own.registerHandler('work', () => undefined);
      await inTransaction(client, async (manager) => {
        const query: SqlExecutor['query'] = (text, values) =>
          text.includes(silent) ? new Promise(() => undefined) : manager.query(text, values);
        const error = await own
          .createDateJob(job('a'), { manager: { query } })
          .catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(StorageError);
        expect(String(error)).toContain('PostgreSQL did not answer within 600 ms.');
        await insert();
      });
      expect([await ids(), await app.effects()]).toEqual([[], 1]);
    },
  );

  test('whose library hides the reason of an error has it told', async () => {
    class LibraryError extends Error {}
    const query: SqlExecutor['query'] = (text, values) =>
      client.query(text, values).catch((cause: unknown) => {
        throw new LibraryError(`Failed query: ${text}`, { cause });
      });
    await client.query('begin');
    await client.query('select 1 / 0').catch(() => undefined);
    const error: unknown = await scheduler
      .createDateJob(job('a'), { manager: { query } })
      .catch((reason: unknown) => reason);
    await client.query('rollback');
    expect(error).toBeInstanceOf(StorageError);
    expect(String(error)).toMatch(/Failed query: .*: current transaction is aborted/s);
  });

  test('in a transaction that is read-only reads, and is told so where it writes', async () => {
    await client.query('begin read only');
    expect((await scheduler.queryJobs({}, { manager: client })).items).toEqual([]);
    const error: unknown = await scheduler
      .createDateJob(job('a'), { manager: client })
      .catch((reason: unknown) => reason);
    await client.query('commit');
    expect(error).toBeInstanceOf(TransactionNotSupportedError);
    expect(String(error)).toContain('its transaction is read-only');
    expect(String(error)).not.toContain('failover');
  });

  describe('is refused', () => {
    const pool = new pg.Pool({ connectionString: databaseUrl(), max: 2 });
    afterAll(() => pool.end());

    const refusal = async (manager: SqlExecutor): Promise<unknown> => {
      const error: unknown = await scheduler
        .createDateJob(job('a'), { manager })
        .catch((reason: unknown) => reason);
      expect(await ids()).toEqual([]);
      return error;
    };

    test('without a transaction, whether on one connection or on several', async () => {
      for (const none of [client, pool, new StrictExecutor(client)]) {
        const error = await refusal(none);
        expect(error).toBeInstanceOf(InvalidOptionError);
        expect(String(error)).toMatch(/manager: is not inside a transaction.*of pg a client after "begin"/);
      }
    });

    test('when its transaction has ended, also while a call is under way', async () => {
      const late = await inTransaction(client, async (manager) => manager);
      expect(await refusal(late)).toBeInstanceOf(InvalidOptionError);
      const storage = await app.storage();
      const jobs = await inTransaction(client, (manager) => storage.joined!(manager));
      await expect(jobs!.getJob({ namespace: 'default', id: 'a' })).rejects.toThrow('has ended');
    });

    test.each<[string, (rows: Record<string, unknown>[]) => unknown]>([
      ['no rows', () => []],
      ['a count', () => 1],
      ['nothing', () => undefined],
      ['JSON as text', (rows) => rows.map((row) => ({ ...row, sample: JSON.stringify(row.sample) }))],
      [
        'other names',
        (rows) => rows.map((row) => ({ ...row, ...(row.sample ? { sample: { aName: [1] } } : {}) })),
      ],
      ['numbers as text', (rows) => rows.map((row) => ({ ...row, ...(row.now ? { now: '1' } : {}) }))],
    ])('when it gives %s', async (_, spoil) => {
      await inTransaction(client, async (strict) => {
        const query = async (text: string, values: (string | null)[]) =>
          spoil((await strict.query(text, values)) as Record<string, unknown>[]) as never;
        const error = await refusal({ query });
        expect(error).toBeInstanceOf(InvalidOptionError);
        expect(String(error)).toContain('query() of a SqlExecutor');
      });
    });

    test('with a user without rights', async () => {
      const role = `${app.schema}_other`;
      await app.client.query(`create role "${role}"`);
      await client.query(`begin; set local role "${role}"`);
      const error = await refusal(client);
      await client.query('rollback');
      await app.client.query(`drop role "${role}"`);
      expect(error).toBeInstanceOf(TransactionNotSupportedError);
      expect(String(error)).toContain('its user may not read them');
      expect(String(error)).not.toContain('another database');
    });

    test('where the tables themselves are gone, with what to do', async () => {
      await app.client.query(`alter table "${app.schema}".meta rename to meta_gone`);
      const error = await inTransaction(client, refusal);
      await app.client.query(`alter table "${app.schema}".meta_gone rename to meta`);
      expect(error).toBeInstanceOf(TransactionNotSupportedError);
      expect(String(error)).toContain('or they are gone');
      expect(String((error as Error).cause)).toContain('The tables are gone');
    });

    test('on another database', async () => {
      const elsewhere = `${app.schema}_elsewhere`;
      await app.client.query(`create database "${elsewhere}"`);
      const url = new URL(databaseUrl());
      url.pathname = elsewhere;
      const other = new pg.Client(url.href);
      await other.connect();
      try {
        await inTransaction(other, async (manager) => {
          const error = await refusal(manager);
          expect(error).toBeInstanceOf(TransactionNotSupportedError);
          expect(String(error)).toMatch(
            /manager: its connection does not see the tables of the jobs \(schema "[^"]*"\): it is on another database, or they are gone\. Give one on the database of the jobs;/,
          );
          await manager.query('select 1', []);
        });
      } finally {
        await other.end();
        await app.client.query(`drop database "${elsewhere}" with (force)`);
      }
    });
  });

  test('hands on what the database refuses because of others, in the words of its library', async () => {
    class LibraryError extends Error {}
    const wrapped = (cause: unknown): never => {
      throw new LibraryError('A raw query failed.', { cause });
    };
    let error: unknown;
    await client.query('begin isolation level repeatable read');
    await client.query('select 1');
    await client.query(`select from "${app.schema}".effect`);
    await scheduler.createDateJob(job('a'));
    const query: SqlExecutor['query'] = (text, values) => client.query(text, values).catch(wrapped);
    await scheduler
      .createDateJob(job('a'), { manager: { query } })
      .catch((reason: unknown) => (error = reason));
    await insert();
    const pause = scheduler.pauseJob('a', { manager: { query } });
    await expect(pause).rejects.toThrow(TransactionNotSupportedError);
    await client.query('commit');
    expect(error).toBeInstanceOf(LibraryError);
    expect(await app.effects()).toBe(1);
  });

  describe('for the transaction of a verdict', () => {
    const begin = (run: (executor: SqlExecutor, tx: pg.Client) => Promise<void>) =>
      inTransaction(client, (executor) => run(executor, client));

    let runs = 0;
    /** The processes of the tests before do not know the handler. */
    const run = async (execute: (context: RunContext) => Promise<unknown>) => {
      const handler = `settling-${++runs}`;
      const { scheduler: own, events } = await app.boot({ chronis: { autoStart: true } });
      own.registerHandler(handler, execute);
      const ended = Promise.race([
        events.once('run.succeeded'),
        events.once('run.failed'),
        events.once('run.stale'),
      ]);
      await own.createDateJob({ id: 'run', handler, runAt: new Date() });
      const { runId } = await ended;
      return (await own.getAttempts({ runId })).items.map(({ outcome, result }) => ({ outcome, result }));
    };

    test('commits rows, jobs and verdict together', async () => {
      const attempts = await run(async (context) => {
        await context.transaction(
          async (tx) => {
            await tx.query(`insert into "${app.schema}".effect values ($1)`, [context.runId]);
            await scheduler.createDateJob(job('child'), { manager: tx });
            return 'done';
          },
          { begin },
        );
        expect([await app.effects(), await ids()]).toEqual([1, ['child']]);
        throw new Error('after the commit');
      });
      expect(attempts).toEqual([{ outcome: 'succeeded', result: 'done' }]);
    });

    test('rolls all of it back, and may be tried again', async () => {
      const attempts = await run(async (context) => {
        const failing = context.transaction(
          async (tx) => {
            await insert();
            await scheduler.createDateJob(job('child'), { manager: tx });
            throw new Error('changed my mind');
          },
          { begin },
        );
        await expect(failing).rejects.toThrow('changed my mind');
        await context.transaction(insert, { begin });
        await expect(context.transaction(insert, { begin })).rejects.toThrow('settled');
      });
      expect(attempts).toMatchObject([{ outcome: 'succeeded' }]);
      expect([await app.effects(), await ids()]).toEqual([1, []]);
    });

    test('rolls back what a stale owner has written', async () => {
      await run(async (context) => {
        const stale = context.transaction(
          async () => {
            await insert();
            await app.client.query(
              `update "${app.schema}".run set fence = fence + 1, worker = 'x' where id = $1`,
              [context.runId],
            );
          },
          { begin },
        );
        const error = await stale.catch((reason: unknown) => reason);
        expect(error).toMatchObject({ code: 'CHRONIS_CLAIM_LOST' });
      });
      expect(await app.effects()).toBe(0);
    });

    const unended = new pg.Client(databaseUrl());
    beforeAll(() => unended.connect());
    afterAll(() => unended.end());

    type Begin = (run: (executor: SqlExecutor, tx: pg.Client) => Promise<void>) => Promise<void>;
    const mistakes: [string, Begin, () => Promise<unknown>][] = [
      [
        'has rolled back',
        async (go) => {
          await client.query('begin');
          await go(client, client);
          await client.query('rollback');
        },
        async () => undefined,
      ],
      [
        'has rolled back to a savepoint of its own',
        async (go) => {
          await client.query('begin; savepoint own');
          await go(client, client);
          await client.query('rollback to savepoint own; commit');
        },
        async () => undefined,
      ],
      [
        'has not committed yet',
        async (go) => {
          await unended.query('begin');
          await go(unended, unended);
        },
        () => unended.query('rollback'),
      ],
    ];
    test.each(mistakes)('is not taken for committed where "begin" %s', async (_, mistaken, mend) => {
      const attempts = await run(async (context) => {
        const mistake = context.transaction(async (tx) => tx.query('select 1'), { begin: mistaken });
        const error: unknown = await mistake.catch((reason: unknown) => reason);
        await mend();
        expect(error).toBeInstanceOf(TransactionNotSupportedError);
        expect(String(error)).toContain('has resolved, and its transaction is not committed');
        // Nothing has happened, so another one may do it.
        await context.transaction(insert, { begin });
      });
      expect(attempts).toMatchObject([{ outcome: 'succeeded' }]);
      expect(await app.effects()).toBe(1);
    });

    test('that "begin" has rolled back in silence fails the attempt', async () => {
      const [, mistaken] = mistakes[0]!;
      const attempts = await run((context) => context.transaction(insert, { begin: mistaken }));
      expect(attempts).toMatchObject([{ outcome: 'failed' }]);
      expect(await app.effects()).toBe(0);
    });

    test('is refused before the work where nothing can be promised', async () => {
      const problems: unknown[] = [];
      await run(async (context) => {
        const refused = async (
          given: (run: (executor: SqlExecutor, tx: unknown) => Promise<void>) => unknown,
        ) =>
          problems.push(
            await context
              .transaction(insert, { begin: given as typeof begin })
              .catch((error: unknown) => String(error)),
          );
        await refused((go) => go(new StrictExecutor(client), client));
        await refused(async (go) => {
          await client.query('begin isolation level serializable');
          const gone = go(new StrictExecutor(client), client);
          await gone.catch(() => client.query('rollback'));
          await gone;
        });
        await refused(async (go) => {
          await client.query('begin read only');
          const gone = go(client, client);
          await gone.catch(() => client.query('rollback'));
          await gone;
        });
        await refused(() => undefined);
      });
      expect(problems).toEqual([
        expect.stringContaining('has begun no transaction'),
        expect.stringContaining('"serializable"'),
        expect.stringContaining('its transaction is read-only'),
        expect.stringContaining('"begin" has not called what it is given'),
      ]);
      expect(await app.effects()).toBe(0);
    });
  });
});

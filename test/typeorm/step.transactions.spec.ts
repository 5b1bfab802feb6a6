import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  ChronisModule,
  ClaimLostError,
  SchedulerService,
  TransactionNotSupportedError,
  type BegunTransactionOptions,
  type RunContext,
} from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

describe('a durable step that is a transaction', () => {
  const client = new pg.Client(databaseUrl());
  const own = new pg.Client(databaseUrl());
  let schema: string;
  let close: () => Promise<void>;

  beforeAll(() => Promise.all([client.connect(), own.connect()]));
  afterAll(() => Promise.all([client.end(), own.end()]));

  beforeEach(async () => {
    schema = freshSchema('steps');
    await client.query(`create schema "${schema}"; create table "${schema}".effect (step text)`);
  });

  afterEach(async () => {
    await close();
    await client.query(`drop schema "${schema}" cascade`);
  });

  /** Runs one job, with three tries, to its end. */
  async function play(
    handler: (context: RunContext, insert: (step: string) => string) => Promise<unknown>,
  ): Promise<unknown[]> {
    const storage = typeOrmStorage({ url: databaseUrl(), schema, statementTimeoutMs: 2_000 });
    @Module({ imports: [ChronisModule.forRoot({ storage })] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    close = () => app.close();
    const events = app.get(ChronisEvents);
    const ended = Promise.race(
      (['run.succeeded', 'run.failed', 'run.stale'] as const).map((name) => events.once(name)),
    );
    const errors: unknown[] = [];
    const scheduler = app.get(SchedulerService);
    scheduler.registerHandler('work', (context: RunContext) =>
      handler(context, (step) => `insert into "${schema}".effect values ('${step}')`).catch(
        (error: unknown) => {
          errors.push(error);
          throw error;
        },
      ),
    );
    await scheduler.createDateJob({ id: 'once', handler: 'work', in: 0, maxRetries: 2, backoff: 50 });
    await ended;
    return errors;
  }

  const effects = async () =>
    (await client.query<{ step: string }>(`select step from "${schema}".effect order by step`)).rows.map(
      ({ step }) => step,
    );
  const kept = async () =>
    (await client.query<{ name: string }>(`select name from "${schema}".run_step order by name`)).rows.map(
      ({ name }) => name,
    );
  const outcomes = async () =>
    (
      await client.query<{ outcome: string }>(`select outcome from "${schema}".attempt order by fence`)
    ).rows.map(({ outcome }) => outcome);

  test('is done once, with its record, whatever fails after it', async () => {
    const given: unknown[] = [];
    await play(async ({ step, attempt }, insert) => {
      const [one, two] = await Promise.all([
        step.transaction('one', async (manager) => {
          await manager.query(insert('one'));
          return { at: new Date(0) };
        }),
        step.transaction('two', (manager) => manager.query(insert('two'))),
      ]);
      given.push(one, two);
      if (attempt < 3) throw new Error('Not yet.');
      await step.transaction('three', (manager) => manager.query(insert('three')));
    });
    expect([await effects(), await outcomes()]).toEqual([
      ['one', 'three', 'two'],
      ['failed', 'failed', 'succeeded'],
    ]);
    expect(given.slice(2)).toEqual([...given.slice(0, 2), ...given.slice(0, 2)]);
    expect(given[0]).toEqual({ at: '1970-01-01T00:00:00.000Z' });
  });

  test('leaves neither where the commit itself fails', async () => {
    await client.query(
      `alter table "${schema}".effect add constraint once unique (step) deferrable initially deferred`,
    );
    await play(({ step, attempt }, insert) =>
      step.transaction(`try ${attempt}`, async (manager) => {
        await manager.query(insert('a'));
        if (attempt < 3) await manager.query(insert('a'));
      }),
    );
    expect([await effects(), await kept()]).toEqual([['a'], ['try 3']]);
  });

  test('leaves neither where the run was taken from its worker meanwhile', async () => {
    const errors = await play(({ step, runId }, insert) =>
      step.transaction('a', async (manager) => {
        await manager.query(insert('a'));
        await client.query(`update "${schema}".run set fence = fence + 1 where id = $1`, [runId]);
      }),
    );
    expect(errors).toEqual([expect.any(ClaimLostError)]);
    expect([await effects(), await kept()]).toEqual([[], []]);
  });

  test('leaves no second effect where the step is kept already', async () => {
    const errors = await play(({ step, runId, attempt }, insert) =>
      step.transaction('a', async (manager) => {
        await manager.query(insert('a'));
        if (attempt > 1) return;
        const columns = 'run_id, name, position, attempt, started_at, finished_at, result';
        await client.query(
          `insert into "${schema}".run_step (${columns}) values ($1, 'a', 1, 1, now(), now(), '7')`,
          [runId],
        );
      }),
    );
    expect(errors).toEqual([expect.any(ClaimLostError)]);
    expect([await effects(), await kept(), await outcomes()]).toEqual([[], ['a'], ['failed', 'succeeded']]);
  });

  describe('of another library', () => {
    const begin: BegunTransactionOptions<pg.Client>['begin'] = async (run) => {
      await own.query('begin');
      try {
        await run(own, own);
        await own.query('commit');
      } catch (error) {
        await own.query('rollback');
        throw error;
      }
    };

    test('is done once', async () => {
      await play(async ({ step, attempt }, insert) => {
        await step.transaction('a', (tx) => tx.query(insert('a')).then(() => 1), { begin });
        if (attempt === 1) throw new Error('Again.');
      });
      expect([await effects(), await kept(), await outcomes()]).toEqual([
        ['a'],
        ['a'],
        ['failed', 'succeeded'],
      ]);
    });

    test('is told from one that is not committed', async () => {
      const forgetful: typeof begin = async (run) => {
        await own.query('begin');
        try {
          await run(own, own);
        } finally {
          await own.query('rollback');
        }
      };
      const errors = await play(async ({ step, attempt }, insert) => {
        if (attempt === 1)
          await step.transaction('a', (tx) => tx.query(insert('a')).then(() => 1), { begin: forgetful });
      });
      expect(errors).toEqual([expect.any(TransactionNotSupportedError)]);
      expect(String(errors[0])).toContain('its transaction is not committed');
      expect([await effects(), await kept()]).toEqual([[], []]);
    });
  });
});

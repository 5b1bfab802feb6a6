import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisEvents,
  ChronisModule,
  JobAlreadyExistsError,
  SchedulerService,
  type RunContext,
  type SqlExecutor,
  type TransactionBegin,
} from 'nestjs-chronis';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { databaseUrl, freshSchema } from '../test/support/schema.js';

/** A database with the application's table `effect`, and its jobs in the schema `chronis`. */
export class TestDatabase {
  private constructor(
    readonly url: string,
    readonly client: pg.Client,
    private readonly name: string,
  ) {}

  static async create(topic: string): Promise<TestDatabase> {
    const name = freshSchema(topic);
    const maintenance = new pg.Client(databaseUrl());
    await maintenance.connect();
    await maintenance.query(`create database "${name}"`);
    await maintenance.end();
    const url = new URL(databaseUrl());
    url.pathname = name;
    const client = new pg.Client(url.href);
    await client.connect();
    await client.query('create table effect (name text primary key)');
    return new TestDatabase(url.href, client, name);
  }

  async effects(): Promise<string[]> {
    const { rows } = await this.client.query<{ name: string }>('select name from effect order by name');
    return rows.map(({ name }) => name);
  }

  async close(): Promise<void> {
    await this.client.end();
    const maintenance = new pg.Client(databaseUrl());
    await maintenance.connect();
    await maintenance.query(`drop database "${this.name}"`);
    await maintenance.end();
  }
}

/** A library that has transactions: how it begins them, and how it writes a row. */
export interface Library<Tx> {
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  executorOf(tx: Tx): SqlExecutor;
  begin: TransactionBegin<Tx>;
  insert(tx: Tx, name: string): PromiseLike<unknown>;
  close(): PromiseLike<unknown>;
}

/** What has to be true with each library. */
export function commitsTogether<Tx>(name: string, open: (url: string) => Promise<Library<Tx>>): void {
  describe(`rows of ${name}, jobs and verdicts`, () => {
    let database: TestDatabase;
    let library: Library<Tx>;
    let scheduler: SchedulerService;
    let events: ChronisEvents;
    let close: () => Promise<void>;

    beforeAll(async () => {
      database = await TestDatabase.create('recipe');
      library = await open(database.url);
      @Module({ imports: [ChronisModule.forRoot({ storage: typeOrmStorage({ url: database.url }) })] })
      class AppModule {}
      const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
      scheduler = app.get(SchedulerService);
      events = app.get(ChronisEvents);
      scheduler.registerHandler('work', () => undefined);
      close = () => app.close();
    });
    afterAll(async () => {
      await close();
      await library.close();
      await database.close();
    });
    beforeEach(() => database.client.query('delete from effect; delete from chronis.run'));

    const job = (id: string) => ({
      id,
      handler: 'work',
      in: '1h',
      payload: { text: `it's "{a,b}" \\ $1 ?`, list: [1, null, true] },
      metadata: { snake_case: { nested_key: 1 } },
    });
    const jobs = async () => (await scheduler.queryJobs()).items.map(({ id }) => id);

    test('are committed together', async () => {
      await library.transaction(async (tx) => {
        await library.insert(tx, 'a');
        const manager = library.executorOf(tx);
        await scheduler.createDateJob(job('a'), { manager });
        await scheduler.createMany([job('b'), { ...job('c'), metadata: {} }], { manager });
        expect(await scheduler.getJob('a', { manager })).toMatchObject(withoutTime(job('a')));
        expect(
          (await scheduler.queryJobs({ metadata: { snake_case: {} }, limit: 5 }, { manager })).items,
        ).toHaveLength(2);
        expect(await jobs()).toEqual([]);
      });
      expect([await database.effects(), await jobs()]).toEqual([['a'], ['a', 'b', 'c']]);
      expect(await scheduler.getJob('a')).toMatchObject(withoutTime(job('a')));
    });

    test('are rolled back together', async () => {
      const undone = library.transaction(async (tx) => {
        await library.insert(tx, 'a');
        await scheduler.createDateJob(job('a'), { manager: library.executorOf(tx) });
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      expect([await database.effects(), await jobs()]).toEqual([[], []]);
    });

    test('go on after an id that is taken, and change, pause and delete what is there', async () => {
      for (const id of ['a', 'b', 'c']) await scheduler.createDateJob(job(id));
      await library.transaction(async (tx) => {
        const manager = library.executorOf(tx);
        const taken = scheduler.createDateJob(job('a'), { manager });
        await expect(taken).rejects.toThrow(JobAlreadyExistsError);
        await library.insert(tx, 'a');
        await scheduler.updateJob('a', { payload: 'new', priority: 7 }, { manager });
        await scheduler.pauseJob('b', { manager, reason: 'audit' });
        await scheduler.deleteJob('c', { manager });
        expect(await scheduler.countJobs({ state: 'paused' }, { manager })).toBe(1);
      });
      expect([await database.effects(), await jobs()]).toEqual([['a'], ['a', 'b']]);
      expect(await scheduler.getJob('a')).toMatchObject({ payload: 'new', priority: 7 });
    });

    test('outside of a transaction are refused', async () => {
      let late!: SqlExecutor;
      await library.transaction(async (tx) => void (late = library.executorOf(tx)));
      await expect(scheduler.createDateJob(job('a'), { manager: late })).rejects.toThrow();
      expect(await jobs()).toEqual([]);
    });

    test('of a handler are committed with its verdict, or rolled back without one', async () => {
      scheduler.registerHandler('close', async (context: RunContext) => {
        await context.transaction(
          async (tx) => {
            await library.insert(tx, `attempt ${context.attempt}`);
            await scheduler.createDateJob(job(`child ${context.attempt}`), {
              manager: library.executorOf(tx),
            });
            if (context.attempt === 1) throw new Error('try again');
            return 'closed';
          },
          { begin: library.begin },
        );
      });
      const ended = events.once('run.succeeded', ({ handler }) => handler === 'close');
      await scheduler.createDateJob({ id: 'run', handler: 'close', in: 0, maxRetries: 1, backoff: 1 });
      const { runId } = await ended;
      const { items } = await scheduler.getAttempts({ runId });
      expect(items.map(({ outcome, result }) => [outcome, result])).toEqual([
        ['succeeded', 'closed'],
        ['failed', null],
      ]);
      expect([await database.effects(), await jobs()]).toEqual([['attempt 2'], ['child 2']]);
      scheduler.withdrawHandler('close');
    });
  });
}

function withoutTime({ payload, metadata }: { payload: object; metadata: object }): object {
  return { payload, metadata };
}

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../lib/testing/index.js';
import { connect } from '../../lib/typeorm/connect.js';
import type { Database } from '../../lib/typeorm/database.js';
import { PreparedStatements } from '../../lib/typeorm/prepared.statements.js';
import { adapterSettings } from '../../lib/typeorm/typeorm.options.js';
import { databaseUrl } from '../support/schema.js';

describe('statements that the server keeps prepared', () => {
  let database: Database;

  const open = async (preparedStatements?: boolean): Promise<void> => {
    const url = databaseUrl();
    const settings = adapterSettings({ url, poolSize: 2, preparedStatements }, false);
    database = await connect({ type: 'postgres', url }, settings);
  };
  const one = (): Promise<{ one: number }[]> =>
    database.run('select 1 as one, $1::text as time', [], { name: 'one' });
  const prepared = async (): Promise<string[]> =>
    (await database.plain<{ name: string }>(`select name from pg_prepared_statements`)).map(
      ({ name }) => name,
    );

  beforeEach(() => open());
  afterEach(() => database.close());

  test('are named after the statement and its text, and prepared once', async () => {
    await one();
    await one();
    expect(await prepared()).toEqual([expect.stringMatching(/^chronis_one_[0-9a-f]{16}$/)]);
  });

  test('are not missed where a pooler hands out a connection that does not have them', async () => {
    await one();
    await database.plain('deallocate all');
    expect(await one()).toMatchObject([{ one: 1 }]);
    await one();
    expect(await prepared()).toEqual([]);
  });

  test('are not missed within a transaction', async () => {
    await one();
    await database.plain('deallocate all');
    const work = database.transaction((transaction) =>
      transaction.run<{ one: number }>('select 1 as one, $1::text as time', [], { name: 'one' }),
    );
    expect(await work).toMatchObject([{ one: 1 }]);
  });

  test('are made anew when a table has got another shape', async () => {
    await database.plain('create temporary table shape (a int)');
    const all = (): Promise<object[]> =>
      database.run('select s.*, $1::text as time from shape s', [], { name: 'shape' });
    await database.plain('insert into shape values (1)');
    await all();
    await database.plain('alter table shape add b int default 2');
    expect(await all()).toMatchObject([{ a: 1, b: 2 }]);
  });

  test('can be switched off', async () => {
    await database.close();
    await open(false);
    await one();
    expect(await prepared()).toEqual([]);
  });
});

describe('plans that have grown old', () => {
  const clock = new ManualClock();
  let statements: PreparedStatements;

  beforeEach(() => {
    statements = new PreparedStatements(true, () => clock.monotonic());
  });

  const connection = () => {
    const sent: string[] = [];
    return { sent, query: async ({ text }: { text: string }) => void sent.push(text) };
  };
  const call = async (client: ReturnType<typeof connection>, times = 1): Promise<void> => {
    for (let n = 0; n < times; n++) await statements.nameOn(client, 'claim', 'select 1', 1_000);
  };

  test('are thrown away every ten seconds, on each connection by itself', async () => {
    const [a, b] = [connection(), connection()];
    await call(a, 20);
    await clock.advanceBy(9_999);
    await call(a);
    await call(b, 20);
    expect(a.sent).toEqual([]);
    await clock.advanceBy(1);
    await call(a);
    await call(b);
    expect(a.sent).toEqual(['discard plans']);
    expect(b.sent).toEqual([]);
    await clock.advanceBy(9_999);
    await call(a, 20);
    await call(b);
    expect(a.sent).toHaveLength(1);
    expect(b.sent).toHaveLength(1);
    await clock.advanceBy(1);
    await call(a);
    expect(a.sent).toHaveLength(2);
  });

  test('are kept for a minute where there is little to do', async () => {
    const idle = connection();
    await call(idle);
    await clock.advanceBy(59_999);
    await call(idle, 19);
    expect(idle.sent).toEqual([]);
    await call(idle);
    expect(idle.sent).toEqual(['discard plans']);
    await clock.advanceBy(60_000);
    await call(idle);
    expect(idle.sent).toHaveLength(2);
  });
});

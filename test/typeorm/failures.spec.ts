import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { queryFailures } from '../../lib/typeorm/failures.js';
import { queryAttempts } from '../../lib/typeorm/record.queries.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { TransactionalApp } from '../support/transactional.app.js';

const dayMs = 86_400_000;
const kind = 'a'.repeat(16);

/** A ledger of twenty days in which one attempt of five hundred has failed. */
describe('failures in a ledger of many rows', () => {
  let app: TransactionalApp;
  let storage: StorageAdapter;
  const first = Date.UTC(2020, 0, 1);

  beforeAll(async () => {
    app = await TransactionalApp.create('failures');
    storage = await app.storage();
    const { client, schema } = app;
    for (let nth = 0; nth < 20; nth++) {
      const [from, until] = [nth, nth + 1].map((day) => new Date(first + day * dayMs).toISOString());
      const name = `attempt_202001${String(nth + 1).padStart(2, '0')}`;
      await client.query(
        `create table "${schema}".${name} partition of "${schema}".attempt for values from ('${from}') to ('${until}')`,
      );
    }
    await client.query(`
      insert into "${schema}".attempt (run_id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence, outcome, final, finished_at, error, error_fingerprint)
      select n, 'default', 'j' || n % 500, 'h' || n % 10, 'default', 'schedule', at, 1, 1,
        case when n % 500 = 0 then 'failed' else 'succeeded' end, true, at,
        case when n % 500 = 0 then 'Error: boom' end,
        case when n % 500 = 0 then lpad(to_hex(n / 500 % 40), 16, case when n % 1000 = 0 then 'a' else 'b' end) end
      from generate_series(1, 100000) n cross join lateral (select to_timestamp(${first / 1000} + n * 17.2) as at) v;
      analyze "${schema}".attempt`);
  });
  afterAll(async () => {
    await storage.close();
    await app.close();
  });

  /** The plan of the one statement that this sends, with what came of it. */
  async function planOf(send: (queries: never) => Promise<unknown>): Promise<string> {
    const plans: string[] = [];
    const run = async (text: string, values: readonly unknown[] = []) => {
      const { rows } = await app.client.query(`explain (analyze, costs off, timing off) ${text}`, [
        null,
        ...values,
      ]);
      plans.push(rows.map((row: { 'QUERY PLAN': string }) => row['QUERY PLAN']).join('\n'));
      return [];
    };
    await send({ run } as never);
    return plans[0]!;
  }

  const names = (): ReturnType<typeof tableNames> => tableNames(app.schema, '');
  const whole = { from: new Date(first), until: new Date(first + 20 * dayMs) };

  test.each([
    ['all days', whole],
    ['one day', { from: new Date(first + 5 * dayMs), until: new Date(first + 6 * dayMs) }],
    ['a handler', { ...whole, handler: 'h0' }],
    ['what is new', { ...whole, newSince: new Date(first + 19 * dayMs) }],
    [
      'what is new in a namespace',
      { ...whole, namespace: 'default', newSince: new Date(first + 19 * dayMs) },
    ],
  ])('are grouped of %s by nothing but failures', async (what, filter) => {
    const plan = await planOf((queries) => queryFailures(queries, names(), filter, 50));
    expect(plan).not.toMatch(/Seq Scan on attempt_2020/);
    expect(plan).not.toMatch(/Rows Removed by Filter: \d{3,}/);
    // Days beside the time that is asked for are not looked at.
    if (what === 'one day') expect(plan).not.toMatch(/ on attempt_20200101 .*\(actual/);
  });

  test('of one kind are found by an index', async () => {
    const plan = await planOf((queries) =>
      queryAttempts(queries, names(), { fingerprint: kind }, { limit: 50 }),
    );
    expect(plan).not.toMatch(/Seq Scan on attempt_2020/);
    expect(plan).not.toMatch(/Rows Removed by Filter: \d{3,}/);
  });

  test('come with their numbers and their newest', async () => {
    const { items, countedFrom } = await storage.queryFailures(whole, 1_000);
    expect(countedFrom).toBeNull();
    expect(items.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(200);
    const [newest] = items;
    expect(newest!.sample).toMatchObject({ runId: '100000', error: 'Error: boom', outcome: 'failed' });
    const times = items.map(({ lastAt }) => lastAt.getTime());
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });
});

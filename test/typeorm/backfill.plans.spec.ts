import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Capability, ClaimedRun } from '../../lib/index.js';
import { addRecurring, minute, only, settlementOf, startWorker } from '../../lib/testing/laws/fixture.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { prepareStatements, type StatementName } from '../../lib/typeorm/statements.js';
import { planModes, planOf } from '../support/plan.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

// Thousands of backfilled runs of one job, each of which waits for the one before it. What one of them costs must not depend on how many there are.

const runs = 5_000;
const schema = freshSchema('backfilled');
const storage = newStorage({ schema });
const client = new pg.Client(databaseUrl());
const sql = prepareStatements(tableNames(schema, '', true));
const ref = { namespace: 'default', id: 'job' };
let worker: Capability;
let head: ClaimedRun;
let jobUid: string;

beforeAll(async () => {
  await client.connect();
  await storage.init();
  // By the statistics of an empty table.
  await client.query(`alter table "${schema}".run set (autovacuum_enabled = off); analyze "${schema}".run`);
  worker = await startWorker(storage, { leaseMs: 60 * minute });
  await addRecurring(storage, { dueInMs: minute });
  const now = await storage.now();
  const instants = Array.from({ length: runs }, (_, n) => now - (runs - n) * minute);
  const order = { instants, overlap: 'queue', includeSucceeded: true, dryRun: false } as const;
  expect((await storage.backfill(ref, order))?.runIds).toHaveLength(runs);
  head = only((await storage.claim(worker, 10)).runs, 'head');
  jobUid = head.jobUid!;
}, 60_000);

afterAll(async () => {
  await storage.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

const each = (value: unknown): unknown[] => [value];
const cases: [what: string, name: StatementName, values: () => unknown[]][] = [
  ['lets the next one go', 'unblock', () => [[jobUid]]],
  [
    'settles the first one beside locks',
    'settlePassing',
    () => [
      each(head.id),
      each(head.fence),
      each('failed'),
      each(0),
      each(0),
      each(null),
      each('no'),
      each(null),
      null,
      worker.workerId,
      true,
    ],
  ],
  [
    'gives the first one back',
    'giveBack',
    () => [each(head.id), each(head.fence), each(worker.workerId), each(0)],
  ],
  ['waits for what the end of the first one writes', 'awaitRun', () => [head.id]],
];

test.each(cases.flatMap((one) => planModes.map((mode) => [one[0], mode, one] as const)))(
  'a long queue %s by few rows: %s plan',
  async (_, mode, [, name, values]) => {
    const plan = await planOf(client, sql[name], [null, ...values()], mode);
    expect(plan.touched).toBeGreaterThan(0);
    expect(plan.touched).toBeLessThan(60);
  },
);

/** What a sync finds free while somebody else has this run of the job, and how many of its runs it locks. */
async function graspBeside(runId: string): Promise<{ jobs: number; locked: number }> {
  const other = new pg.Client(databaseUrl());
  await other.connect();
  try {
    await other.query('begin');
    await other.query(`select from "${schema}".run where id = $1 for update`, [runId]);
    await client.query('begin');
    const grasped = await client.query(sql.graspJobs, [null, [jobUid]]);
    const { rows } = await client.query<{ locked: number }>(
      `select count(*)::int as locked from "${schema}".run where xmax = pg_current_xact_id()::xid`,
    );
    return { jobs: grasped.rows.length, locked: rows[0]!.locked };
  } finally {
    await client.query('rollback');
    await other.end();
  }
}

test('a sync locks few of them as long as somebody has locked the first one', async () => {
  const { jobs, locked } = await graspBeside(head.id);
  expect(jobs).toBe(0);
  expect(locked).toBeLessThan(60);
});

test('a sync that queues for its turn at their job does not do so at each of them', async () => {
  const { rows } = await client.query<{ locked: string }>(sql.awaitJobs, [null, [jobUid]]);
  expect(Number(rows[0]!.locked)).toBeLessThan(60);
});

test('a sync that has its turn locks all of them', async () => {
  const { rows } = await client.query<{ id: string }>(`select max(id)::text as id from "${schema}".run`);
  expect(await graspBeside(rows[0]!.id)).toMatchObject({ jobs: 0 });
  const { jobs, locked } = await graspBeside('0');
  expect(jobs).toBe(1);
  expect(locked).toBeGreaterThanOrEqual(runs);
});

test('the runs are executed one after the other', async () => {
  const order: string[] = [];
  for (let nth = 0; nth < 20; nth++) {
    const run = nth === 0 ? head : only((await storage.claim(worker, 10)).runs, 'the next run');
    order.push(run.id);
    const settlement = await settlementOf(storage, run);
    expect((await storage.settle([settlement])).accepted).toEqual([run.id]);
  }
  expect(order).toEqual(order.toSorted());
});

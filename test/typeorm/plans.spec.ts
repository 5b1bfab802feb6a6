import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NewJob, StorageAdapter } from '../../lib/index.js';
import { queryJobsSql } from '../../lib/typeorm/sql/query.jobs.sql.js';
import { queryRunsSql } from '../../lib/typeorm/sql/query.runs.sql.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { prepareStatements, preparedStatements } from '../../lib/typeorm/statements.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('plans');
const t = tableNames(schema, '', true);
const sql = prepareStatements(t);
const client = new pg.Client(databaseUrl());
let storage: StorageAdapter;

/** Many runs of later, a few that are due, and schedules: what a plan must not walk through. */
beforeAll(async () => {
  storage = newStorage({ schema });
  await storage.init();
  await client.connect();
  const now = await storage.now();
  const job = (id: string, nextAt: number, recurring: boolean): NewJob => ({
    id,
    namespace: 'default',
    name: null,
    handler: 'work',
    queue: 'default',
    priority: 5,
    trigger: recurring
      ? { type: 'interval', every: 60_000 }
      : { type: 'at', at: new Date(nextAt).toISOString() },
    timeZone: 'UTC',
    payload: null,
    metadata: {},
    policies: {},
    source: 'api',
    app: null,
    definitionHash: 'h',
    nextAt,
  });
  const later = Array.from({ length: 20_000 }, (_, i) => job(`later-${i}`, now + 3_600_000 + i, false));
  const due = Array.from({ length: 100 }, (_, i) => job(`due-${i}`, now - i, false));
  const cursors = Array.from({ length: 5_000 }, (_, i) => job(`cron-${i}`, now - 60_000 + i * 1_000, true));
  await storage.insertJobs([...later, ...due, ...cursors], 'raise');
  await client.query(`analyze ${t.run}; analyze ${t.job}; analyze ${t.cursor}; analyze ${t.job_stat}`);
});

afterAll(async () => {
  await storage.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

interface Node {
  'Node Type': string;
  'Index Name'?: string;
  'Relation Name'?: string;
  Plans?: Node[];
}

/** `generic`: the plan that the server makes for a prepared statement, which knows no values. */
type PlanMode = 'custom' | 'generic';
const modes: readonly PlanMode[] = ['custom', 'generic'];

async function explained(
  text: string,
  values: unknown[],
  mode: PlanMode,
): Promise<pg.QueryResult<{ 'QUERY PLAN': { Plan: Node }[] }>> {
  if (mode === 'custom') return client.query(`explain (format json) ${text}`, values);
  await client.query(`set plan_cache_mode = force_generic_plan; prepare statement as ${text}`);
  try {
    const literals = values.map((value) => {
      if (value === null) return 'null';
      const text = Array.isArray(value)
        ? `{${value.map((item) => item ?? 'null').join(',')}}`
        : `${value as string | number}`;
      return pg.escapeLiteral(text);
    });
    return await client.query(`explain (format json) execute statement (${literals.join(',')})`);
  } finally {
    await client.query('deallocate statement; reset plan_cache_mode');
  }
}

/** The indexes that a statement uses, and the tables that it reads from one end to the other. */
async function planOf(
  text: string,
  values: unknown[],
  mode: PlanMode = 'custom',
): Promise<{ indexes: Set<string>; scanned: Set<string> }> {
  // What a statement takes beyond the values that matter here is empty.
  const wanted = Math.max(...[...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
  const all = Array.from({ length: wanted }, (_, i) => (i === 0 ? null : (values[i - 1] ?? null)));
  const { rows } = await explained(text, all, mode);
  const indexes = new Set<string>();
  const scanned = new Set<string>();
  const visit = (node: Node): void => {
    if (node['Index Name']) indexes.add(node['Index Name']);
    if (node['Node Type'] === 'Seq Scan') scanned.add(node['Relation Name']!);
    for (const child of node.Plans ?? []) visit(child);
  };
  visit(rows[0]!['QUERY PLAN'][0]!.Plan);
  return { indexes, scanned };
}

const capability = [['default'], ['work']];
const manyIds = Array.from({ length: 10 }, (_, i) => String(i + 1));
const numbers = manyIds.map(Number);
const times = manyIds.map(() => 1_700_000_000_000);
const texts = manyIds.map(() => 'succeeded');
const nothing = manyIds.map(() => null);

const statements: [string, keyof typeof sql, unknown[], string][] = [
  ['a claim from one queue', 'claimFromOne', ['worker', ...capability, 10], 'run_claim'],
  [
    'a claim from several queues',
    'claimFromSeveral',
    ['worker', ['default', 'b'], ['work'], 10],
    'run_claim',
  ],
  ['the look at what comes next', 'nextWake', ['worker', ...capability], 'run_claim'],
  ['the read of due cursors', 'dueCursors', [...capability, 10, 500], 'cursor_due'],
  ['a settlement of one-offs', 'settleOneOffs', [manyIds, numbers, times, times, nothing], 'run_pkey'],
  ['a settlement', 'settle', [manyIds, numbers, texts, times, times, nothing, nothing, nothing], 'run_pkey'],
  ['a hand-back', 'giveBack', [manyIds, numbers], 'run_pkey'],
  ['the release of lost runs', 'releaseLost', [], 'run_worker'],
  ['the question what a worker holds', 'heldBy', ['worker'], 'run_worker'],
  ['a renewal', 'renew', ['worker', 30_000, 0], 'run_worker'],
  ['the lock of all runs of a job', 'lockRuns', [['1'], []], 'run_job'],
  ['the lock of all runs of many jobs', 'lockRuns', [manyIds, manyIds], 'run_job'],
  ['the hold of all runs of many jobs', 'holdRuns', [manyIds, manyIds], 'run_job'],
  ['the lock of many one-offs', 'lockSomeOneOffs', [manyIds.map(() => 'default'), manyIds], 'run_key'],
  ['the lock of many recurring jobs', 'lockSomeJobs', [manyIds.map(() => 'default'), manyIds], 'job_key'],
  ['a backfill', 'backfill', ['1', times, null, false, false, true], 'run_job'],
  ['the end of a wait', 'unblock', [['1']], 'run_job'],
  ['the lock of a one-off', 'lockOneOff', ['default', 'later-1'], 'run_key'],
  ['the read of one job', 'getJobs', [['default'], ['later-1']], 'run_key'],
  ['the forgetting of kept one-offs', 'forgetKept', [100], 'run_kept'],
];

const cases = modes.flatMap((mode) =>
  statements
    .filter(([, name]) => mode === 'custom' || preparedStatements.has(name))
    .map(([what, name, values, index]) => [what, mode, name, values, index] as const),
);

test.each(cases)(
  '%s walks through no table of runs, but uses an index: %s plan',
  async (_, mode, name, values, index) => {
    const { indexes, scanned } = await planOf(sql[name], values as unknown[], mode);
    expect([...scanned].filter((table) => ['run', 'cursor', 'job', 'job_stat'].includes(table))).toEqual([]);
    expect(indexes).toContain(index);
  },
);

test.each(modes)('a fire finds runs of the same job by index: %s plan', async (mode) => {
  const firings = [manyIds, times, numbers, times, numbers, manyIds.map(() => 'skip')];
  const births = [manyIds, times, times, numbers];
  const gaps = [[], [], [], [], [], []];
  const values = ['worker', ...capability, 10, ...firings, ...births, ...gaps];
  const { indexes, scanned } = await planOf(sql.fire, values, mode);
  expect([...scanned].filter((table) => ['run', 'cursor', 'job'].includes(table))).toEqual([]);
  expect(indexes).toContain('run_job');
  expect(indexes).toContain('cursor_pkey');
});

test('a page of jobs is read in the order of indexes', async () => {
  const text = queryJobsSql(t, 'v.namespace = $3 and (v.namespace, v.id) > ($4, $5)');
  const { indexes, scanned } = await planOf(text, [101, 'default', 'default', 'later-5']);
  expect([...scanned]).toEqual([]);
  expect(indexes).toContain('run_key');
  expect(indexes).toContain('job_key');
});

test('a page of runs is read from the newest on', async () => {
  const { indexes, scanned } = await planOf(queryRunsSql(t, 'v.number < $3'), [101, '15000']);
  expect([...scanned]).toEqual([]);
  expect(indexes).toContain('run_pkey');
});

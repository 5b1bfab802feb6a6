import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { addOneOff, addRecurring } from '../../lib/testing/laws/fixture.js';
import { queryJobsSql } from '../../lib/typeorm/sql/query.jobs.sql.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('metadata');
const t = tableNames(schema, '', true);
const client = new pg.Client(databaseUrl());
const rows = 100_000;
const tenants = 10_000;
let storage: StorageAdapter;

/** Copies the rows that meet the condition, each time under another id and for one of the tenants. */
async function multiply(table: string, name: string, idColumn: string, where: string): Promise<void> {
  const { rows: found } = await client.query<{ column: string }>(
    `select quote_ident(column_name) as column from information_schema.columns
     where table_schema = $1 and table_name = $2 and is_identity = 'NO' and is_generated = 'NEVER'
       and not (table_name = 'run' and column_name = 'id')`,
    [schema, name],
  );
  const columns = found.map(({ column }) => column);
  const values = columns.map((column) => {
    if (column === idColumn) return `${idColumn} || '-' || n`;
    if (column !== 'metadata') return column;
    return `jsonb_build_object('place', jsonb_build_object('tenant_id', 'tenant-' || n % ${tenants}))`;
  });
  await client.query(
    `insert into ${table} (${columns.join()}) select ${values.join()} from ${table}, generate_series(1, ${rows}) n where ${where}`,
  );
}

beforeAll(async () => {
  storage = newStorage({ schema });
  await storage.init();
  await client.connect();
  const later = { metadata: { place: { tenant_id: 'first' } }, nextAt: Date.UTC(2100, 0, 1) };
  await addRecurring(storage, { id: 'cron', ...later });
  await addOneOff(storage, { id: 'once', ...later });
  await multiply(t.job, 'job', 'id', 'true');
  await multiply(t.run, 'run', 'job_id', `keyed and origin <> 'reserved'`);
  await client.query(`insert into ${t.job_stat} (job_uid) select uid from ${t.job} on conflict do nothing`);
  await client.query(`vacuum analyze ${t.run}`);
  await client.query(`vacuum analyze ${t.job}`);
  await client.query(`analyze ${t.job_stat}`);
}, 120_000);

afterAll(async () => {
  await storage.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

interface Node {
  'Index Name'?: string;
  'Node Type': string;
  'Relation Name'?: string;
  Plans?: Node[];
}

test('a nested path of the metadata is found by index among 100,000 recurring jobs and 100,000 one-offs', async () => {
  const metadata = { place: { tenant_id: 'tenant-7' } };
  const where = `v.metadata @> $3::jsonb and v.metadata <> '{}'`;
  const { rows: plans } = await client.query<{ 'QUERY PLAN': { Plan: Node }[] }>(
    `explain (format json) ${queryJobsSql(t, where)}`,
    [null, 101, JSON.stringify(metadata)],
  );
  const nodes: Node[] = [];
  const visit = (node: Node): void => {
    nodes.push(node);
    node.Plans?.forEach(visit);
  };
  visit(plans[0]!['QUERY PLAN'][0]!.Plan);
  const indexes = nodes.map((node) => node['Index Name']);
  expect(indexes).toContain('job_metadata');
  expect(indexes).toContain('run_metadata');
  const scanned = nodes
    .filter((node) => node['Node Type'] === 'Seq Scan')
    .map((node) => node['Relation Name']);
  expect(scanned.filter((table) => table === 'job' || table === 'run')).toEqual([]);
});

test('what is found by index is what the filter says', async () => {
  const perTenant = rows / tenants;
  expect(await storage.countJobs({ metadata: { place: { tenant_id: 'tenant-7' } } })).toBe(2 * perTenant);
  expect(await storage.countJobs({ metadata: { place: { tenant_id: 'first' } } })).toBe(2);
  expect(await storage.countJobs({ metadata: {} })).toBe(2 * rows + 2);
});

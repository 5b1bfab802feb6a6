import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectedSchema, type SchemaContent } from '../../../lib/typeorm/doctor/expected.schema.js';
import { readSchema } from '../../../lib/typeorm/doctor/schema.reading.js';
import { migrationStatements, schemaVersion } from '../../../lib/typeorm/migration.steps.js';
import { tableNames, type TableNames } from '../../../lib/typeorm/sql/table.names.js';
import { schemaV1 } from '../../../lib/typeorm/sql/schema.v1.sql.js';
import { databaseUrl, freshSchema } from '../../support/schema.js';

const client = new pg.Client(databaseUrl());
beforeAll(() => client.connect());
afterAll(() => client.end());

/** What statements make, in a schema that is gone afterwards. */
async function made(t: TableNames, statements: readonly string[]): Promise<SchemaContent> {
  await client.query('begin');
  try {
    for (const statement of statements) await client.query(statement);
    const rows = async <Row>(text: string, values?: readonly unknown[]): Promise<Row[]> =>
      (await client.query(text, values as unknown[])).rows as Row[];
    return await readSchema(rows, t);
  } finally {
    await client.query('rollback');
  }
}

/** Partitions have the columns and indexes of their table. */
function withoutDefault({ columns, defaults, indexes }: SchemaContent): object {
  return {
    defaults: Object.fromEntries([...defaults].filter(([table]) => table !== 'attempt_default')),
    columns: Object.fromEntries([...columns].filter(([table]) => table !== 'attempt_default')),
    indexes: Object.fromEntries([...indexes].filter(([, { table }]) => table !== 'attempt_default')),
  };
}

test.each(['', 'x_'])(
  'what a fresh schema holds is told by its statements, with the prefix "%s"',
  async (prefix) => {
    const t = tableNames(freshSchema('expected'), prefix);
    const fresh = await made(t, migrationStatements(t, 0));
    expect(fresh.columns.size).toBeGreaterThan(20);
    expect(withoutDefault(expectedSchema(t))).toEqual(withoutDefault(fresh));
  },
);

test('a schema that was brought from version 1 is no other one', async () => {
  const t = tableNames(freshSchema('expected'), '');
  const foundation = [
    `create schema ${t.schema}`,
    `create table ${t.meta} (key text primary key, value text not null)`,
  ];
  const brought = await made(t, [...foundation, ...schemaV1(t), ...migrationStatements(t, 1)]);
  expect(schemaVersion).toBeGreaterThan(1);
  expect(withoutDefault(expectedSchema(t))).toEqual(withoutDefault(brought));
});

test('each statement that mends makes the index that is gone', async () => {
  const t = tableNames(freshSchema('expected'), '');
  const { making, indexes } = expectedSchema(t);
  expect(making.size).toBe(indexes.size);
  const mending = [...making.values()];
  const constraints = mending.filter((text) => text.startsWith('alter table'));
  expect(constraints.length).toBeGreaterThan(10);
  const drops = [...indexes.keys()].flatMap((name) => {
    const text = making.get(name)!;
    const isKey = text.startsWith('alter table') || name === 'pause_scope';
    return isKey ? [] : [`drop index ${t.schema}.${t.index(name)}`, text];
  });
  const mended = await made(t, [...migrationStatements(t, 0), ...drops]);
  expect(withoutDefault(expectedSchema(t))).toEqual(withoutDefault(mended));
});

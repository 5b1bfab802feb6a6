import { writeFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectedSchema } from '../../../lib/typeorm/doctor/expected.schema.js';
import { readSchema, type ReadSchema } from '../../../lib/typeorm/doctor/schema.reading.js';
import { migrationStatements, schemaVersion } from '../../../lib/typeorm/migration.steps.js';
import { tableNames } from '../../../lib/typeorm/sql/table.names.js';
import { schemaV1 } from '../../../lib/typeorm/sql/schema.v1.sql.js';
import { databaseUrl, freshSchema } from '../../support/schema.js';

const client = new pg.Client(databaseUrl());
beforeAll(() => client.connect());
afterAll(() => client.end());

/** What the migrations make, in a schema that is gone afterwards. */
async function made(prefix: string, statements: (schema: string) => string[]): Promise<ReadSchema> {
  const schema = freshSchema('expected');
  await client.query('begin');
  try {
    for (const statement of statements(schema)) await client.query(statement);
    const rows = async <Row>(text: string, values?: readonly unknown[]): Promise<Row[]> =>
      (await client.query(text, values as unknown[])).rows as Row[];
    return await readSchema(rows, tableNames(schema, prefix));
  } finally {
    await client.query('rollback');
  }
}

const file = new URL('../../../lib/typeorm/doctor/expected.schema.ts', import.meta.url);

/** One line for each table and index. */
function write({ columns, indexes }: ReadSchema): void {
  const entries = (all: [string, string][]): string =>
    all
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, text]) => `${name}: ${text},`)
      .join('\n');
  const quoted = (text: string): string => (text.includes("'") ? JSON.stringify(text) : `'${text}'`);
  writeFileSync(
    file,
    `import type { ReadSchema } from './schema.reading.js';

/** What a fresh schema of this version holds. Made by a test, which says how: test/typeorm/doctor/expected.schema.spec.ts. */
export const expectedSchema: ReadSchema = {
  columns: {
${entries(Object.entries(columns).map(([table, own]) => [table, `list(${quoted(own.join(', '))})`]))}
  },
  indexes: {
${entries(Object.entries(indexes).map(([name, text]) => [name, quoted(text)]))}
  },
};

function list(columns: string): string[] {
  return columns.split(', ');
}
`,
  );
}

test('the expected schema is what a fresh one is; CHRONIS_WRITE_EXPECTED=1 writes it anew, then npx oxfmt lib', async () => {
  const fresh = await made('', (schema) => migrationStatements(tableNames(schema, ''), 0));
  if (process.env.CHRONIS_WRITE_EXPECTED === '1') return write(fresh);
  expect(Object.keys(fresh.columns).length).toBeGreaterThan(20);
  expect(expectedSchema).toEqual(fresh);
});

test('a prefix makes no difference', async () => {
  expect(await made('x_', (schema) => migrationStatements(tableNames(schema, 'x_'), 0))).toEqual(
    expectedSchema,
  );
});

test('a schema that was brought from version 1 is no other one', async () => {
  const brought = await made('', (schema) => {
    const t = tableNames(schema, '');
    const first = [
      `create schema ${t.schema}`,
      `create table ${t.meta} (key text primary key, value text not null)`,
      ...schemaV1(t),
    ];
    return [...first, ...migrationStatements(t, 1)];
  });
  expect(schemaVersion).toBeGreaterThan(1);
  expect(brought).toEqual(expectedSchema);
});

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withHoles } from '../../lib/typeorm/lists.with.holes.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { prepareStatements } from '../../lib/typeorm/statements.js';
import { databaseUrl } from '../support/schema.js';

const client = new pg.Client(databaseUrl());
beforeAll(async () => {
  await client.connect();
  await client.query('set array_nulls = off');
});
afterAll(() => client.end());

test.each([
  ['boolean', [null, true, false]],
  ['int', [1, null, -2_147_483_648]],
  ['integer', [null, 2_147_483_647]],
  ['bigint', [null, '9223372036854775807', '-9223372036854775808', 9_007_199_254_740_991]],
  ['text', ['NULL', null, 'null', '', '{"a\\"}', ',', 'ä😀', undefined]],
  ['json', [null, '{"a":[1,null]}']],
  ['float8', [null, 0, -1.5, 1_700_000_000_123.25, Infinity, -Infinity]],
] as const)('a list of %s keeps its holes whatever array_nulls says', async (type, list) => {
  const text = `select (select json_agg(u::text) from unnest($1::${type}[]) u) as found`;
  const { rows } = await client.query<{ found: (string | null)[] }>(text, [...withHoles(text, [list])]);
  expect(rows[0]!.found).toEqual(list.map((value) => value?.toString() ?? null));
});

test('lists without holes are sent as they were', () => {
  const values = ['a', ['a', 'b'], [], null, 1];
  expect(withHoles('select $2::text[]', values)).toBe(values);
});

test('every list of a statement is of a type that can be sent with holes', () => {
  const found = new Set<string>();
  for (const text of Object.values(prepareStatements(tableNames('chronis', '', true)))) {
    for (const [, type] of text.matchAll(/\$\d+::(\w+)\[\]/g)) found.add(type!);
  }
  const unknown = [...found].filter((type) => {
    const [sent] = withHoles(`select $1::${type}[] as ${type}_list`, [[null]]);
    return !Buffer.isBuffer(sent);
  });
  expect(unknown).toEqual([]);
});

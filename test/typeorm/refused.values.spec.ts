import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { InvalidPayloadError } from '../../lib/index.js';
import { translated } from '../../lib/typeorm/sql.errors.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const client = new pg.Client(databaseUrl());
const database = freshSchema('latin1');

beforeAll(async () => {
  await client.connect();
  await client.query(
    `create database ${database} encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'`,
  );
});

afterAll(async () => {
  await client.query(`drop database if exists ${database}`);
  await client.end();
});

test('a database that cannot store every text is refused, with what to do', async () => {
  const url = new URL(databaseUrl());
  url.pathname = `/${database}`;
  const storage = newStorage({ url: url.href });
  await expect(storage.init()).rejects.toThrow(
    `The database "${database}" has the encoding LATIN1, which lacks characters that errors and results may hold. Use one with UTF8: create database … encoding 'UTF8' template template0.`,
  );
  await storage.close();
});

test.each([
  ['JSON that is nested too deep', `select repeat('[', 100000)::json`],
  ['an escape for a character that it lacks', `select '"\\u0000"'::jsonb`],
  ['an instant out of range', `select to_timestamp(1e30)`],
])('a value that PostgreSQL can never store is told from an outage: %s', async (_, text) => {
  const error = await client.query(text).catch((cause: unknown) => translated(cause));
  expect(error).toBeInstanceOf(InvalidPayloadError);
});

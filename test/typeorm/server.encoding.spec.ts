import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

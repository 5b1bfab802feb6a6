import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { queryRunSteps } from '../../lib/typeorm/run.steps.js';
import type { Run } from '../../lib/typeorm/statement.runner.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('steps');
const client = new pg.Client(databaseUrl());
const megabyte = 1_048_576;
let storage: StorageAdapter;

beforeAll(async () => {
  storage = newStorage({ schema });
  await storage.init();
  await client.connect();
});
afterAll(async () => {
  await storage.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

/** Steps of one run with results of so many bytes that cannot be compressed. */
async function steps(runId: string, sizes: readonly number[]): Promise<void> {
  for (const [nth, size] of sizes.entries())
    await client.query(
      `insert into "${schema}".run_step (run_id, name, position, attempt, started_at, finished_at, ended, result) values ($1, $2, $3, 1, now(), now(), $3, $4)`,
      [
        runId,
        `step ${String(nth).padStart(3, '0')}`,
        nth,
        JSON.stringify(randomBytes(size / 2).toString('hex')),
      ],
    );
}

/** What is read, and how much of it by each statement. */
async function read(runId: string): Promise<{ names: string[]; pages: { rows: number; bytes: number }[] }> {
  const pages: { rows: number; bytes: number }[] = [];
  const { run } = (storage as unknown as { statements: { run: Run } }).statements;
  const watched = (async (statement, ...values) => {
    const rows = await run<{ result: unknown }>(statement, ...values);
    pages.push({ rows: rows.length, bytes: JSON.stringify(rows.map(({ result }) => result)).length });
    return rows;
  }) as Run;
  return { names: (await queryRunSteps(watched, runId)).map(({ name }) => name), pages };
}

const namesOf = (count: number): string[] =>
  Array.from({ length: count }, (_, nth) => `step ${String(nth).padStart(3, '0')}`);

test('the durable steps of a run are read by pages that are bounded in rows and in bytes, each step once', async () => {
  await steps(
    '1',
    Array.from({ length: 40 }, () => megabyte - 8),
  );
  const large = await read('1');
  expect(large.names).toEqual(namesOf(40));
  expect(Math.max(...large.pages.map(({ bytes }) => bytes))).toBeLessThan(17 * megabyte);
  expect(large.pages.length).toBeLessThan(12);
  await steps(
    '2',
    Array.from({ length: 100 }, () => 8),
  );
  const many = await read('2');
  expect(many.names).toEqual(namesOf(100));
  expect(many.pages.map(({ rows }) => rows)).toEqual([32, 32, 32, 4]);
});

test.each([0, 1, 31, 32])('%d steps are read by one statement', async (count) => {
  const runId = String(100 + count);
  await steps(
    runId,
    Array.from({ length: count }, () => 8),
  );
  const { names, pages } = await read(runId);
  expect(names).toEqual(namesOf(count));
  expect(pages).toHaveLength(1);
});

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { oneOff, startWorker } from '../../lib/testing/laws/fixture.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('heap_only');
const client = new pg.Client(databaseUrl());
let storage: StorageAdapter;

/** The page of each run, by its id. */
async function pages(): Promise<Map<string, number>> {
  const { rows } = await client.query<{ id: string; page: number }>(
    `select id::text, (ctid::text::point)[0]::int as page from "${schema}".run`,
  );
  return new Map(rows.map(({ id, page }) => [id, page]));
}

beforeAll(async () => {
  storage = newStorage({ schema });
  await storage.init();
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await storage.close();
});

test('a claim of all that waits leaves each run on its page, so that no index is written', async () => {
  const template = await oneOff(storage);
  const jobs = Array.from({ length: 500 }, () => ({ ...template, id: randomUUID() }));
  await storage.insertJobs(jobs, 'raise');
  const before = await pages();
  // As long as the names that real workers have.
  const worker = await startWorker(storage, { id: randomUUID() });
  const { runs } = await storage.claim(worker, 500);
  expect(runs).toHaveLength(500);
  const after = await pages();
  const moved = runs.filter(({ id }) => after.get(id) !== before.get(id));
  expect(moved).toEqual([]);
});

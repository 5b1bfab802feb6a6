import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { addOneOff, startWorker } from '../../lib/testing/laws/fixture.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('pausing');
const none = { reason: null, by: null };
const scope = { kind: 'queue', name: 'default' } as const;
let storage: StorageAdapter;
let client: pg.Client;

beforeAll(async () => {
  storage = newStorage({ schema });
  await storage.init();
  client = new pg.Client(databaseUrl());
  await client.connect();
});

afterAll(async () => {
  await storage.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

/** A promise, and whether it has resolved. */
function watched(work: Promise<unknown>): { done: boolean; work: Promise<unknown> } {
  const watch = { done: false, work };
  void work.then(() => (watch.done = true));
  return watch;
}

/** Until the pause is seen by others, and a look at claims after that has been answered. */
async function untilStored(): Promise<void> {
  while ((await storage.queryPauses()).length === 0) await storage.now();
  for (let looks = 0; looks < 20; looks++) await storage.now();
}

test('a pause resolves when the claims that had not seen it are over, and not before', async () => {
  await addOneOff(storage);
  const worker = await startWorker(storage);
  await client.query('begin');
  // What a claim has locked when it has read the pauses.
  await client.query(`select from "${schema}".pause`);
  await client.query(`update "${schema}".run set worker = worker where false`);
  const pause = watched(storage.pauseScope(scope, none));
  await untilStored();
  expect(pause.done).toBe(false);
  expect((await storage.claim(worker, 10)).runs).toEqual([]);
  await client.query('commit');
  await pause.work;
  await storage.resumeScope(scope, () => ({ nextAt: null, gap: null }));
});

test('a pause waits for nobody who only reads, and for no claim that has seen it', async () => {
  await client.query('begin isolation level repeatable read');
  await client.query(`select from "${schema}".pause, "${schema}".run`);
  await storage.pauseScope(scope, none);
  await client.query('rollback');
  await storage.resumeScope(scope, () => ({ nextAt: null, gap: null }));
});

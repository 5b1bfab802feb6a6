import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EntityManager } from 'typeorm';
import type { ClaimedRun, StorageAdapter } from '../../lib/index.js';
import { addOneOff, settlementOf, startWorker } from '../../lib/testing/laws/fixture.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

let schema: string;
let storage: StorageAdapter;

beforeEach(async () => {
  schema = freshSchema('transactionfailover');
  storage = newStorage({ schema });
  await storage.init();
});

afterEach(async () => {
  await storage.close();
  const client = new pg.Client(databaseUrl());
  await client.connect();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

async function transact(run: ClaimedRun, work: (manager: EntityManager) => Promise<unknown>): Promise<void> {
  const settlement = await settlementOf(storage, run);
  await storage.transaction!(
    (manager) => work(manager as EntityManager),
    () => settlement,
    {},
  );
}

test('connections of handlers that lead to a server which takes no changes any more cost one transaction', async () => {
  const worker = await startWorker(storage);
  for (let i = 0; i < 6; i++) await addOneOff(storage, { id: `once-${i}` });
  const { runs } = await storage.claim(worker, 6);
  // Four connections at once, whose sessions are read-only from then on.
  let inside = 0;
  let allInside = (): void => undefined;
  const together = new Promise<void>((resolve) => (allInside = resolve));
  const turned = await Promise.allSettled(
    runs.slice(0, 4).map((run) =>
      transact(run, async (manager) => {
        await manager.query('set session characteristics as transaction read only');
        if (++inside === 4) allInside();
        await together;
      }),
    ),
  );
  expect(turned.map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'));
  await expect(transact(runs[4]!, async () => undefined)).rejects.toMatchObject({ code: '25006' });
  await transact(runs[4]!, async () => undefined);
  await transact(runs[5]!, async () => undefined);
});

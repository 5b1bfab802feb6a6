import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CarriedSet } from '../../lib/index.js';
import { carry, sync } from '../../lib/testing/laws/sync.fixture.js';
import { DataSource } from 'typeorm';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('older_sets');
const storage = newStorage({ schema });
let database: DataSource;

beforeAll(async () => {
  await storage.init();
  database = await new DataSource({ type: 'postgres', url: databaseUrl() }).initialize();
});

afterAll(async () => {
  await storage.close();
  await database.query(`drop schema "${schema}" cascade`);
  await database.destroy();
});

test('what the release before declares counts by its ids, as older than all that is known in full', async () => {
  await carry(storage, 'ours', { ids: ['a'] });
  // As that release writes them, which knows no other columns.
  const [{ generation }] = await database.query<{ generation: number }[]>(
    `insert into "${schema}".release (app, set_hash, declared, first_seen) values ('shop', 'theirs', '{default/a,default/b/c}', now())
     returning generation`,
  );
  await database.query(
    `insert into "${schema}".worker (id, name, app, generation, host, pid, version, zone_data, queues, handlers, started_at, lease_until)
     values ('old', 'old', 'shop', ${generation}, 'host', 1, '0', '2025b', '{}', '{}', now(), now() + interval '1 hour')`,
  );
  let seen: readonly CarriedSet[] = [];
  await sync(storage, {
    setHash: 'ours',
    ids: ['a'],
    plan: (_, __, carried) => {
      seen = carried;
      return [];
    },
  });
  const [theirs, ours] = seen.toSorted((a, b) => a.place - b.place);
  expect(theirs!.declarations.map(({ namespace, id, handler }) => [namespace, id, handler])).toEqual([
    ['default', 'a', null],
    ['default', 'b/c', null],
  ]);
  expect(theirs!.carriedUntil).toBeNull();
  expect(ours!.declarations).toMatchObject([{ id: 'a', handler: 'work' }]);
  expect((await storage.renew('old', 60_000, 0)).outOfSync).toBe(false);
});

import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ChronisModule, Cron } from '../../lib/index.js';
import { syncLockOf } from '../../lib/discovery/declared.set.js';
import { prepareStatements } from '../../lib/typeorm/statements.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { release } from '../support/release.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('boot_statements');
const namesByText = new Map(
  Object.entries(prepareStatements(tableNames(schema, '', true))).map(([name, text]) => [text, name]),
);
const apps: INestApplicationContext[] = [];
/** By all instances; their janitors and beats go on beside the next boot. */
let sent: { client: object; text: string; values: readonly unknown[] }[] = [];

beforeAll(() => {
  const query = Reflect.get(pg.Client.prototype, 'query') as (...given: unknown[]) => unknown;
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...given: unknown[]) {
    const [config, values] = given as [string | { text: string; values?: unknown[] }, unknown];
    const text = typeof config === 'string' ? config : config.text;
    const those = typeof config === 'string' ? values : (config.values ?? values);
    sent.push({ client: this, text, values: Array.isArray(those) ? those : [] });
    return Reflect.apply(query, this, given);
  } as never);
});

afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
  vi.restoreAllMocks();
  const client = new pg.Client(databaseUrl());
  await client.connect();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

/** Boots an instance, and returns the statements that it has sent until it was up, those by name that have one. */
async function boot(minute: number): Promise<string[]> {
  const jobs = Array.from({ length: 20 }, (_, nth) => `job${nth}`);
  const methods = jobs.map(
    (name) => [name, [Cron(`${minute} 3 1 1 *`, { id: name })]] as [string, MethodDecorator[]],
  );
  const storage = typeOrmStorage({ url: databaseUrl(), schema });

  @Module({
    imports: [ChronisModule.forRoot({ storage, app: 'shop', maxBlockedMs: 0 })],
    providers: [release(Object.fromEntries(methods))],
  })
  class AppModule {}

  const others = new Set(sent.map(({ client }) => client));
  sent = [];
  apps.push(await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false }));
  const own = sent.filter(({ client }) => !others.has(client));
  for (const client of others) sent.push({ client, text: '', values: [] });
  // A boot that takes its time sees the janitor ask for its lead, which is no part of it.
  return own
    .map(({ text, values }) => ({ name: namesByText.get(text) ?? text, values }))
    .filter(({ name, values }) => name !== 'acquireLock' || values.includes(syncLockOf('shop')))
    .map(({ name }) => name);
}

/** What a sync is made of: its lock, what it locks and what it writes. */
const ofSync = ['acquireLock', 'lockApp', 'readDeclared', 'graspJobs', 'noteSynced', 'noteGeneration'];
const isWrite = (statement: string): boolean => {
  const text = [...namesByText].find(([, name]) => name === statement)?.[0] ?? statement;
  return /\b(insert into|update "|delete from|for (no key )?update|for share|pg_advisory|lock table|create|alter)\b/i.test(
    text,
  );
};

test('the first instance with a set of declared jobs syncs it; each one after it looks once, registers and locks nothing', async () => {
  const first = await boot(1);
  expect(first).toEqual(expect.arrayContaining(['acquireLock', 'lockApp', 'readDeclared', 'noteSynced']));
  const counts = new Set<number>();
  for (let nth = 2; nth <= 6; nth++) {
    const statements = await boot(1);
    expect(statements.filter((name) => name === 'syncedSet')).toHaveLength(1);
    expect(statements.filter((name) => ofSync.includes(name))).toEqual([]);
    // What was put off as nobody could run it may be for this one; it locks none that is locked.
    expect([...new Set(statements.filter(isWrite))].toSorted()).toEqual(['recallDeferred', 'register']);
    counts.add(statements.length);
  }
  expect(Math.max(...counts)).toBeLessThanOrEqual(30);
});

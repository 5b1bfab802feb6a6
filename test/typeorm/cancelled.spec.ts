import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import pg from 'pg';
import { StorageError, type StorageAdapter } from '../../lib/index.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

/** As by an administrator, or the server's deadline, whose cancel comes while the statement after it is under way. */
const cancelledNow = 'select pg_cancel_backend(pg_backend_pid()); select pg_sleep(60)';

const ref = { namespace: 'default', id: 'none' };
const query = Reflect.get(pg.Client.prototype, 'query') as (this: pg.Client, ...given: unknown[]) => void;
let schema: string;
let storage: StorageAdapter;
let instead: { of: string; text: string } | null = null;

beforeEach(async () => {
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...given: unknown[]) {
    const [config, ...others] = given as [{ text?: string }];
    const sends = instead !== null && config.text?.trimStart().startsWith(instead.of);
    const sent = sends ? { ...config, text: instead!.text, values: undefined, name: undefined } : config;
    if (sends) instead = null;
    return query.call(this, sent, ...others);
  });
  schema = freshSchema('cancelled');
  storage = newStorage({ schema, poolSize: 2 });
  await storage.init();
});

afterEach(async () => {
  await storage.close();
  vi.restoreAllMocks();
  const admin = new pg.Client(databaseUrl());
  await admin.connect();
  await admin.query(`drop schema if exists "${schema}" cascade`);
  await admin.end();
});

test('a transaction that is cancelled as it begins costs one call, and not the connection of all after it', async () => {
  instead = { of: 'begin', text: `begin; ${cancelledNow}` };
  await expect(storage.cancelJob(ref)).rejects.toThrow('canceling statement due to user request');
  expect(await storage.getJob(ref)).toBeNull();
  expect(await storage.cancelJob(ref)).toBeNull();
});

test('a connection that is found in a transaction that has failed is given up', async () => {
  instead = { of: '', text: 'begin; select 1 / 0' };
  await expect(storage.getJob(ref)).rejects.toThrow('division by zero');
  await expect(storage.getJob(ref)).rejects.toBeInstanceOf(StorageError);
  expect(await storage.getJob(ref)).toBeNull();
});

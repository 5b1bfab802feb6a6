import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import type { TypeOrmStorageOptions } from '../../lib/typeorm/index.js';
import { newStorage } from './postgres.subject.js';
import { databaseUrl, freshSchema } from './schema.js';

/**
 * Has each test of the file take an open storage in a schema of its own, which goes with the test. Returns a connection of somebody else, for as long as the file lasts; a transaction that the test leaves
 * open in it is rolled back.
 */
export function storageForEachTest(
  topic: string,
  take: (fresh: { schema: string; storage: StorageAdapter }) => void,
  options: Partial<TypeOrmStorageOptions> = {},
): pg.Client {
  const other = new pg.Client(databaseUrl());
  let schema: string;
  let storage: StorageAdapter;
  beforeAll(() => other.connect());
  afterAll(() => other.end());
  beforeEach(async () => {
    schema = freshSchema(topic);
    storage = newStorage({ schema, ...options } as TypeOrmStorageOptions);
    await storage.init();
    take({ schema, storage });
  });
  afterEach(async () => {
    await other.query('rollback');
    await storage.close();
    await other.query(`drop schema "${schema}" cascade`);
  });
  return other;
}

import { StorageError } from '../model/errors.js';
import type { Database } from './database.js';

/** Throws StorageError for a database that cannot store every text: what a handler returns or throws may hold any. */
export async function refuseEncoding(database: Database): Promise<void> {
  const [{ name, encoding }] = (await database.plain<{ name: string; encoding: string }>(
    `select current_database() as name, current_setting('server_encoding') as encoding`,
  )) as [{ name: string; encoding: string }];
  if (encoding === 'UTF8') return;
  throw new StorageError(
    `The database "${name}" has the encoding ${encoding}, which lacks characters that errors and results may hold. Use one with UTF8: create database … encoding 'UTF8' template template0.`,
  );
}

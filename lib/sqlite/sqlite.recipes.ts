import { resolve } from 'node:path';
import { JournaledStorage } from '../journal/journaled.storage.js';
import { assertPathOptions, type FileStorageBase } from '../journal/storage.options.js';
import { InvalidOptionError } from '../model/errors.js';
import type { AdapterRecipe } from '../ports/adapter.recipe.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { described } from '../triggers/refuse.js';
import type { SqliteDriver } from './sqlite.driver.js';
import { SqliteJournal } from './sqlite.journal.js';

/** @publicApi */
export interface SqliteStorageOptions extends FileStorageBase {
  /** Who opens the database: the module of Node (from 22.13), or the package better-sqlite3 (12). @default 'auto': the module where this Node has it */
  driver?: SqliteDriver;
}

const drivers: readonly SqliteDriver[] = ['auto', 'node:sqlite', 'better-sqlite3'];

/**
 * Jobs in a SQLite database, for `ChronisModule.forRoot({ storage })`: without a server, for one process at a time. The file is made where there is none. The record can be read by SQL, in the views `attempts`, `gaps`, `jobs`, `runs` and
 * `workers`. The boot rejects with StorageInUseError where another process has the file, with StorageDamagedError where it is something else.
 *
 * @example
 * sqliteStorage({ path: 'jobs.db' })
 * @publicApi
 */
export function sqliteStorage(options: SqliteStorageOptions): AdapterRecipe<StorageAdapter> {
  assertPathOptions(options, 'sqliteStorage()', ['driver']);
  const { path, driver = 'auto', ...rest } = options;
  if (!drivers.includes(driver)) {
    throw new InvalidOptionError(
      'driver',
      `has to be one of ${drivers.join(', ')}, but is ${described(driver)}.`,
    );
  }
  if (path === ':memory:')
    throw new InvalidOptionError('path', 'has to be a file. For jobs in memory leave the storage out.');
  const file = resolve(path);
  return { create: () => JournaledStorage.on('sqlite', file, new SqliteJournal(file, driver), rest) };
}

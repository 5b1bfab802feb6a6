import { resolve } from 'node:path';
import { JournaledStorage } from '../journal/journaled.storage.js';
import { assertPathOptions, type FileStorageBase } from '../journal/storage.options.js';
import type { AdapterRecipe } from '../ports/adapter.recipe.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { formatOf } from './file.formats.js';
import { FileJournal } from './file.journal.js';

/** @publicApi */
export interface FileStorageOptions extends FileStorageBase {
  /** How many rows of the ledger, and how many gaps, are kept at most; the oldest go first. @default 10_000 */
  recordLimit?: number;
}

const defaultRecordLimit = 10_000;

/**
 * Jobs in a file that people can read, for `ChronisModule.forRoot({ storage })`: without a server, for one process at a time, and for some thousands of jobs; `sqliteStorage()` is for more. YAML, JSON or XML, by the extension; XML
 * needs the package fast-xml-parser. The file is made where there is none, with `.journal` beside it, which has what has changed since the file was written. The boot rejects with StorageInUseError where another process has the file, with
 * StorageDamagedError where it cannot be read.
 *
 * @example
 * fileStorage({ path: 'jobs.yaml' })
 * @publicApi
 */
export function fileStorage(options: FileStorageOptions): AdapterRecipe<StorageAdapter> {
  assertPathOptions(options, 'fileStorage()', []);
  const { path, recordLimit = defaultRecordLimit, ...rest } = options;
  const format = formatOf(path);
  const file = resolve(path);
  return {
    create: () => JournaledStorage.on('file', file, new FileJournal(file, format), { ...rest, recordLimit }),
  };
}

import { describe, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { sqliteStorage } from '../../lib/sqlite/index.js';
import { SqliteJournal } from '../../lib/sqlite/sqlite.journal.js';
import { lockLaws, runLaw, storageLaws } from '../../lib/testing/index.js';
import { assertStored, fileLockSubject, fileSubject, type MakeStorage } from '../support/file.subject.js';

const make: MakeStorage = (path, clock) => sqliteStorage({ path, clock, driver: 'better-sqlite3' });
/** A law is kept only if all that its calls have left is in the file, exactly. */
const readAgain = ({ storage, path }: { storage: StorageAdapter; path: string }): Promise<void> =>
  assertStored(storage, new SqliteJournal(path, 'better-sqlite3'));

describe('the SQLite storage keeps the laws on better-sqlite3', () => {
  for (const law of storageLaws())
    test(law.name, () => runLaw(law, () => fileSubject('jobs.db', make, readAgain)));
  for (const law of lockLaws())
    test(law.name, () => runLaw(law, () => fileLockSubject('jobs.db', make, readAgain)));
});

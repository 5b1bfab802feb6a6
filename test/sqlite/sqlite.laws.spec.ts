import { describe, test } from 'vitest';
import { sqliteStorage } from '../../lib/sqlite/index.js';
import { lockLaws, runLaw, storageLaws } from '../../lib/testing/index.js';
import { fileLockSubject, fileSubject, type MakeStorage } from '../support/file.subject.js';

const make: MakeStorage = (path, clock) => sqliteStorage({ path, clock, driver: 'better-sqlite3' });

describe('the SQLite storage keeps the laws on better-sqlite3', () => {
  for (const law of storageLaws()) test(law.name, () => runLaw(law, () => fileSubject('jobs.db', make)));
  for (const law of lockLaws()) test(law.name, () => runLaw(law, () => fileLockSubject('jobs.db', make)));
});

import 'reflect-metadata';
import { strictEqual } from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StorageAdapter } from '../../lib/index.js';
import { sqliteStorage } from '../../lib/sqlite/index.js';
import { openDatabase } from '../../lib/sqlite/sqlite.driver.js';
import { SqliteJournal } from '../../lib/sqlite/sqlite.journal.js';
import { lockLaws, ManualClock, runLaw, storageLaws } from '../../lib/testing/index.js';
import {
  assertStored,
  fileLockSubject,
  fileSubject,
  temporaryFolder,
  type MakeStorage,
} from '../support/file.subject.js';

// Judges the SQLite storage on the module of this Node, and prints each law with what became of it: null where it is kept. What its calls have left is read again by this module, too.
const make: MakeStorage = (path, clock) => sqliteStorage({ path, clock, driver: 'node:sqlite' });
const readAgain = ({ storage, path }: { storage: StorageAdapter; path: string }): Promise<void> =>
  assertStored(storage, new SqliteJournal(path, 'node:sqlite'));

async function judged(run: () => Promise<void>): Promise<string | null> {
  try {
    await run();
    return null;
  } catch (error) {
    return (error as Error).stack ?? String(error);
  }
}

const verdicts: [law: string, problem: string | null][] = [];
for (const law of storageLaws())
  verdicts.push([law.name, await judged(() => runLaw(law, () => fileSubject('jobs.db', make, readAgain)))]);
for (const law of lockLaws())
  verdicts.push([
    law.name,
    await judged(() => runLaw(law, () => fileLockSubject('jobs.db', make, readAgain))),
  ]);
for (const [name, text, sql, expected] of [
  ['a file that is no database', 'Dear diary, '.repeat(1_000), null, 'CHRONIS_STORAGE_DAMAGED'],
  ['a database that another program holds', '', 'begin immediate;', 'CHRONIS_STORAGE'],
] as const) {
  verdicts.push([`${name} is refused as that`, await judged(() => refused(text, sql, expected))]);
}
console.log(JSON.stringify(verdicts));

/** How a file with this text is refused, in which another program has done this. */
async function refused(text: string, sql: string | null, expected: string): Promise<void> {
  const folder = temporaryFolder();
  const path = join(folder, 'jobs.db');
  writeFileSync(path, text);
  const other = sql === null ? null : openDatabase(path, 'node:sqlite');
  if (sql !== null) other?.exec(sql);
  const storage = await make(path, new ManualClock()).create();
  const error = await storage.init().catch((cause: unknown) => cause);
  other?.close();
  rmSync(folder, { recursive: true });
  strictEqual((error as { code?: string } | undefined)?.code, expected);
}

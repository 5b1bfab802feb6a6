import 'reflect-metadata';
import { sqliteStorage } from '../../lib/sqlite/index.js';
import { lockLaws, runLaw, storageLaws } from '../../lib/testing/index.js';
import { fileLockSubject, fileSubject, type MakeStorage } from '../support/file.subject.js';

// Judges the SQLite storage on the module of this Node, and prints each law with what became of it: null where it is kept.
const make: MakeStorage = (path, clock) => sqliteStorage({ path, clock, driver: 'node:sqlite' });

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
  verdicts.push([law.name, await judged(() => runLaw(law, () => fileSubject('jobs.db', make)))]);
for (const law of lockLaws())
  verdicts.push([law.name, await judged(() => runLaw(law, () => fileLockSubject('jobs.db', make)))]);
console.log(JSON.stringify(verdicts));

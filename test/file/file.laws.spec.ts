import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { documentOf, rowsOf } from '../../lib/file/file.document.js';
import { formatOf } from '../../lib/file/file.formats.js';
import { FileJournal } from '../../lib/file/file.journal.js';
import { fileStorage } from '../../lib/file/index.js';
import type { StorageAdapter } from '../../lib/index.js';
import { lockLaws, runLaw, storageLaws } from '../../lib/testing/index.js';
import {
  assertSame,
  assertStored,
  everythingIn,
  fileLockSubject,
  fileSubject,
  rowsIn,
  type MakeStorage,
} from '../support/file.subject.js';

const make: MakeStorage = (path, clock) => fileStorage({ path, clock, recordLimit: 100_000 });

const names = ['jobs.yaml', 'jobs.json', 'jobs.xml'];
/** What changes goes into the same journal whatever the document is written in, so the calls are made on one of them, unless CHRONIS_ALL_FORMATS is set. */
const called = process.env.CHRONIS_ALL_FORMATS ? names : ['jobs.json'];

const mostRows = 300;

/** A law is kept only if all that its calls have left is in the document, exactly, in each of the formats. */
async function readAgain({ storage, path }: { storage: StorageAdapter; path: string }): Promise<void> {
  const before = rowsIn(storage);
  const everything = [...everythingIn(storage)];
  for (const name of names) {
    // A thousand rows have nothing in them that a hundred have not, and take YAML a second.
    if (called.includes(name) || everything.length > mostRows) continue;
    const format = formatOf(name);
    const { rows } = rowsOf(format.read(format.write(documentOf(everything, { upTo: 7 }))));
    assertSame(rows, before);
  }
  await assertStored(storage, new FileJournal(path, formatOf(path)));
  expect(readFileSync(`${path}.journal`, 'utf8')).toBe('');
}

describe.each(called)('the storage in %s keeps the laws', (name) => {
  for (const law of storageLaws())
    test(law.name, () => runLaw(law, () => fileSubject(name, make, readAgain)));
  for (const law of lockLaws())
    test(law.name, () => runLaw(law, () => fileLockSubject(name, make, readAgain)));
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { documentOf, rowsOf } from '../../lib/file/file.document.js';
import { formatOf } from '../../lib/file/file.formats.js';
import { FileJournal } from '../../lib/file/file.journal.js';
import { fileStorage } from '../../lib/file/index.js';
import { apply, noRows } from '../../lib/journal/change.js';
import type { JournaledTables } from '../../lib/journal/journaled.tables.js';
import { lockLaws, runLaw, storageLaws, type StorageSubject } from '../../lib/testing/index.js';
import { fileLockSubject, fileSubject, type MakeStorage } from '../support/file.subject.js';

const make: MakeStorage = (path, clock) => fileStorage({ path, clock, recordLimit: 100_000 });

const names = ['jobs.yaml', 'jobs.json', 'jobs.xml'];
/** What changes goes into the same journal whatever the document is written in, so the calls are made on one of them, unless CHRONIS_ALL_FORMATS is set. */
const called = process.env.CHRONIS_ALL_FORMATS ? names : ['jobs.json'];

/** A law is kept only if all that its calls have left is in the document, exactly, in each of the formats. */
async function readAgain(name: string): Promise<StorageSubject> {
  let path = '';
  const subject = await fileSubject(
    name,
    (given, clock) => make((path = given), clock),
    async ({ storage }) => {
      const { tables } = storage as unknown as { tables: JournaledTables };
      const before = noRows();
      const everything = [...tables.everything()];
      apply(before, JSON.parse(JSON.stringify(everything)));
      for (const each of names) {
        if (called.includes(each)) continue;
        const format = formatOf(each);
        const { rows } = rowsOf(format.read(format.write(documentOf(everything, 7))));
        expect(inOrder(rows)).toEqual(inOrder(before));
      }
      await storage.close();
      const journal = new FileJournal(path, formatOf(path));
      const rows = await journal.open();
      await journal.close();
      expect(inOrder(rows)).toEqual(inOrder(before));
      expect(readFileSync(`${path}.journal`, 'utf8')).toBe('');
    },
  );
  return subject;
}

function inOrder(rows: object): unknown {
  return Object.entries(rows).map(([table, of]) => [
    table,
    [...(of as Map<string | number, unknown>)].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  ]);
}

describe.each(called)('the storage in %s keeps the laws', (name) => {
  for (const law of storageLaws()) test(law.name, () => runLaw(law, () => readAgain(name)));
  for (const law of lockLaws()) test(law.name, () => runLaw(law, () => fileLockSubject(name, make)));
});

import { noRows, tableNames, type Change, type StoredTables, type TableName } from '../journal/change.js';
import { withInstants, withTexts } from './file.times.js';

/** Raised when what is written changes; a file of another format is refused. */
const documentFormat = 1;

/** Which document it is. */
export interface DocumentHead {
  /** The last write of the journal that is in it. */
  upTo: number;
  /** Random; absent: a release wrote it that gave none. */
  documentId?: string;
  /** Which journal it was made from: how long that was, and its checksum. */
  fromJournal?: string;
}

/** What a file says: rows by table, in an order that stays. */
export interface FileDocument extends DocumentHead {
  chronis: number;
  [table: string]: unknown;
}

/** Where a row has the key that it is found by. */
const keyFields: Partial<Record<TableName, string>> = {
  jobs: 'uid',
  runs: 'id',
  binaries: 'sha256',
  flows: 'runId',
  workers: 'id',
  runLogs: 'runId',
  bulkActions: 'id',
  runProgress: 'runId',
  attempts: 'sequence',
  gaps: 'sequence',
};

/** A row whose key is not in it. */
interface Keyed {
  of: string[];
  row: object;
}

/** Throws nothing: what is in the tables can be written. */
export function documentOf(everything: Iterable<Change>, head: DocumentHead): FileDocument {
  const lists = new Map<TableName, { key: string | number; row: any }[]>();
  for (const { table, key, row } of everything) {
    const list = lists.get(table);
    // As JSON has it: without dates, and without what is undefined.
    const entry = { key, row: withTexts(table, JSON.parse(JSON.stringify(row)) as object) };
    if (list) list.push(entry);
    else lists.set(table, [entry]);
  }
  const document: FileDocument = { chronis: documentFormat, ...head };
  for (const table of tableNames) {
    const list = lists.get(table);
    if (list === undefined) continue;
    if (table === 'about') document.about = list[0].row;
    else
      document[table] = list
        .sort((a, b) => inOrder(table, a, b))
        .map(({ key, row }) => shown(table, key, row));
  }
  return document;
}

/** Throws RangeError for what `documentOf` has not made. */
export function rowsOf(document: unknown): { head: DocumentHead; rows: StoredTables } {
  const { chronis, upTo, documentId, fromJournal, ...tables } = (document ?? {}) as Partial<FileDocument>;
  if (chronis !== documentFormat || typeof upTo !== 'number') {
    throw new RangeError(
      `has the format ${JSON.stringify(chronis)}, where this release reads ${documentFormat}`,
    );
  }
  for (const [name, id] of Object.entries({ documentId, fromJournal })) {
    if (id !== undefined && typeof id !== 'string') throw new RangeError(`has a ${name} that is no text`);
  }
  const rows = noRows();
  for (const [name, list] of Object.entries(tables)) {
    const table = tableNames.find((each) => each === name);
    if (table === undefined) throw new RangeError(`has "${name}", which is none of ${tableNames.join(', ')}`);
    if (table === 'about') rows.about.set('storage', withInstants(table, list as object));
    else if (!Array.isArray(list)) throw new RangeError(`has "${name}", which is no list`);
    else for (const each of list) put(rows, table, each);
  }
  return { head: { upTo, documentId, fromJournal }, rows };
}

function put(rows: StoredTables, table: TableName, shownRow: any): void {
  const field = keyFields[table];
  if (field === undefined) {
    const { of, row } = shownRow as Keyed;
    rows[table].set(of.join('\0'), withInstants(table, row));
    return;
  }
  // Which runs a job has is found by these.
  const row = table === 'jobs' ? { ...shownRow, runs: [], deadLetters: [] } : shownRow;
  const key: unknown = row[field];
  if (typeof key !== 'string' && typeof key !== 'number')
    throw new RangeError(`has one of "${table}" without ${field}`);
  rows[table].set(key, withInstants(table, row));
}

/** Of a job, first what its owner has given. */
function shown(table: TableName, key: string | number, row: any): object {
  if (table === 'jobs') {
    const { definition, runs: _, deadLetters: _none, ...rest } = row;
    return { definition, ...rest };
  }
  return keyFields[table] === undefined ? { of: String(key).split('\0'), row } : row;
}

function inOrder(
  table: TableName,
  a: { key: string | number; row: any },
  b: { key: string | number; row: any },
): number {
  if (table === 'jobs') return compare(placeOf(a.row), placeOf(b.row));
  const isNumbered = table === 'runs' || table === 'audit' || table === 'attempts' || table === 'gaps';
  return isNumbered ? Number(a.key) - Number(b.key) : compare(String(a.key), String(b.key));
}

function placeOf({ definition }: { definition: { namespace: string; id: string } }): string {
  return `${definition.namespace}\0${definition.id}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** What is kept of a storage, in rows of JSON. */
export const tableNames = [
  'about',
  'jobs',
  'runs',
  'steps',
  'signals',
  'definitions',
  'binaries',
  'flows',
  'flowSteps',
  'workers',
  'pauses',
  'releases',
  'locks',
  'audit',
  'attempts',
  'gaps',
  'rollups',
  'runLogs',
  'runProgress',
  'overdue',
  'bulkActions',
] as const;

export type TableName = (typeof tableNames)[number];

/** A row as it is now; null: it is gone. */
export interface Change {
  table: TableName;
  /** Unique in its table. Of attempts and gaps a number, in the order of writing. */
  key: string | number;
  row: object | null;
}

/** Everything that is kept, each table in the order of its keys, or in that in which rows were written. */
export type StoredTables = Record<TableName, Map<string | number, any>>;

export function noRows(): StoredTables {
  return Object.fromEntries(tableNames.map((name) => [name, new Map()])) as StoredTables;
}

/** Does to the rows what was done. */
export function apply(rows: StoredTables, changes: Iterable<Change>): void {
  for (const { table, key, row } of changes) {
    if (row === null) rows[table].delete(key);
    else rows[table].set(key, row);
  }
}

import type { EpochMs } from '../ports/storage.adapter.js';

/** A row, or all null: the time is told even when there is nothing else. */
export type Perhaps<Row> = { now: EpochMs } & (Row | { [column in keyof Row]: null });

/** One array for each key: a statement takes many rows as arrays of values. */
export function columns<Row extends object>(rows: readonly Row[], keys: readonly (keyof Row)[]): unknown[][] {
  return keys.map((key) => rows.map((row) => row[key]));
}

export function present<Row>(rows: readonly Perhaps<Row>[], key: keyof Row): Row[] {
  return rows.filter((row) => row[key] !== null) as Row[];
}

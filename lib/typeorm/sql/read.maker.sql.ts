import type { TableNames } from './table.names.js';

/** Who made the tables (null: an application), and how much somebody would miss. */
export function readMakerSql(t: TableNames): string {
  return `select (select value from ${t.meta} where key = 'made_by') as maker,
    (select count(*)::int from ${t.job}) as jobs, (select count(*)::int from ${t.run} where origin <> 'reserved') as runs,
    exists (select from ${t.attempt}) or exists (select from ${t.gap}) or exists (select from ${t.pause}) as recorded`;
}

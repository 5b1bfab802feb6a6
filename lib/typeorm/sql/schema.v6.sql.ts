import { commentsOfTable, commentStatements } from './comments.sql.js';
import type { TableNames } from './table.names.js';

/** The version that has comments of all that is older. */
const commentsSince = 4;

/** What schema version 6 adds, for those who operate it. The release before works on it: it leaves null what it does not know. */
export function schemaV6(t: TableNames, from: number): string[] {
  return [
    // How each worker is, as it tells with its beats.
    `alter table ${t.worker} add column slots integer, add column clock_offset_ms double precision, add column loop_lag_ms double precision`,
    ...(from < commentsSince ? commentStatements(t) : commentsOfTable(t, 'worker')),
  ];
}

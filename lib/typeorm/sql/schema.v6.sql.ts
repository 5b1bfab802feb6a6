import { commentsOfTable, commentStatements } from './comments.sql.js';
import type { TableNames } from './table.names.js';

/** The version that has comments of all that is older. */
const commentsSince = 4;

const changed = ['worker', 'run_step', 'run_signal'] as const;

/** What schema version 6 adds, for those who operate it. The release before works on it: it leaves null what it does not know. */
export function schemaV6(t: TableNames, from: number): string[] {
  return [
    // How each worker is, as it tells with its beats.
    `alter table ${t.worker} add column slots integer, add column clock_offset_ms double precision, add column loop_lag_ms double precision`,
    // What is kept for the retry of a workflow when its run is gone: null for all others.
    `alter table ${t.run_step} add column flow_step bigint`,
    `alter table ${t.run_signal} add column flow_step bigint`,
    ...(from < commentsSince ? commentStatements(t) : changed.flatMap((table) => commentsOfTable(t, table))),
  ];
}

import { commentStatements } from './comments.sql.js';
import type { TableNames } from './table.names.js';
import { viewStatements } from './views.sql.js';

/** What schema version 4 adds. The release before works on it: it takes an open run for one that was snoozed until its deadline, and executes it then. */
export function schemaV4(t: TableNames, from: number): string[] {
  return [
    // Runs that stay open: by which claim, and since when.
    `alter table ${t.run} add column opened_fence integer, add column opened_at timestamptz`,
    // Before version 3 there are none, and one of that name is somebody else's.
    ...viewStatements(t, from < 3 ? 'create view' : 'create or replace view'),
    ...commentStatements(t),
  ];
}

import { runIdFrom } from './run.id.fragment.js';
import type { TableNames } from './table.names.js';

/** What schema version 2 adds. The release before works on it. */
export function schemaV2(t: TableNames): string[] {
  return runIds(t);
}

/** Ids of runs that a server which has lost its last commits does not give out again. */
function runIds(t: TableNames): string[] {
  const numbers = t.qualified('run_number');
  return [
    `create sequence ${numbers} owned by ${t.run}.id`,
    // As with the identity column that was: who may insert needs no right on the sequence. The schema is still closed to others.
    `grant usage on sequence ${numbers} to public`,
    `alter table ${t.run} alter column id drop identity`,
    `alter table ${t.run} alter column id set default ${runIdFrom(numbers)}`,
  ];
}

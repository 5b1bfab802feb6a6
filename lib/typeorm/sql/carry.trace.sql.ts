import type { TableNames } from './table.names.js';

/** $1 time · $2 run, locked · $3 trace. In which trace a run was asked for that is there already. */
export function carryTraceSql(t: TableNames): string {
  return `
-- The time is a parameter of every statement, and one that none of it mentions is an error.
update ${t.run} r set trace_parent = $3 from (select $1::float8) time where r.id = $2::bigint`;
}

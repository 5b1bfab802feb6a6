import type { TableNames } from './table.names.js';

/** A CTE \`holders\` (needs WITH RECURSIVE): the workers that hold runs, found by jumping from one to the next in the index. */
export function holders(t: TableNames): string {
  return `
holders (worker) as (
  (select worker from ${t.run} where worker is not null order by worker limit 1)
  union all
  select (select r.worker from ${t.run} r where r.worker > h.worker order by r.worker limit 1)
  from holders h where h.worker is not null
)`;
}

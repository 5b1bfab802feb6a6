import type { TableNames } from './table.names.js';

/** A CTE `cursor_handler` (needs WITH RECURSIVE): the handlers of schedules, found by jumping from one to the next in the index. `wanted`: the parameter with those that matter. */
export function cursorHandlers(t: TableNames, wanted: string | null = null): string {
  if (wanted !== null) return `cursor_handler (name) as (select distinct unnest(${wanted}::text[]))`;
  return `
cursor_handler (name) as (
  (select c.handler from ${t.cursor} c order by c.handler limit 1)
  union all
  select (select c.handler from ${t.cursor} c where c.handler > h.name order by c.handler limit 1)
  from cursor_handler h where h.name is not null
)`;
}

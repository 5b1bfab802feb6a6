import type { TableNames } from './table.names.js';

/**
 * $1 time · $2 app · $3 handlers that there are · $4 limit
 *
 * Of the oldest flows that go on, by an index that has only such; of each all steps are read, by another one.
 */
export function unservedStepsSql(t: TableNames): string {
  return `
with going as materialized (
  select id, workflow, version from ${t.flow} where ended_at is null and (app is null or app = $2::text) order by run_id limit $4::int
)
select g.workflow, g.version, s.handler, count(distinct g.id)::int as flows, $1::numeric as now
from going g join lateral (
  select handler from ${t.flow_step} where flow = g.id and map_of is null and verdict is null and handler <> all ($3::text[])
) s on true
group by g.workflow, g.version, s.handler
order by g.workflow, coalesce(g.version, 0), s.handler collate "C"`;
}

import { jobViews } from './job.view.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 namespaces · $3 ids
export function getJobsSql(t: TableNames): string {
  const { recurring, oneOff } = jobViews(t);
  return `
with asked as (select u.* from unnest($2::text[], $3::text[]) u (namespace, id))
select found.*, ${ms(now)} as now from asked a cross join lateral (
  select * from (${recurring}) v where v.namespace = a.namespace and v.id = a.id
  union all
  select * from (${oneOff}) v where v.namespace = a.namespace and v.id = a.id
) found`;
}

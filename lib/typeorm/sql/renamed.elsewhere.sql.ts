import type { TableNames } from './table.names.js';
import { after, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 app · $3 namespaces, $4 ids and $5 handlers of jobs that it would insert · $6 grace in ms
 *
 * Those of them that another app has under another id, and says to be the same method, as long as workers of it carry that, or did within the grace. By way of what these declare: nobody looks for ids that jobs had before.
 */
export function renamedElsewhereSql(t: TableNames): string {
  return `
select g.namespace, g.id, ${ms(now)} as now
from ${t.release} r
  cross join json_array_elements(r.declarations) d (declared)
  join unnest($3::text[], $4::text[], $5::text[]) g (namespace, id, handler)
    on g.namespace = d.declared ->> 'namespace' and g.handler = d.declared ->> 'handler'
where r.app <> $2
  and exists (
    select from ${t.worker} w
    where w.app = r.app and w.generation = r.generation and w.lease_until > ${after(now, '-$6::float8')}
  )
  and exists (select from json_array_elements_text(d.declared -> 'previousIds') p (id) where p.id = g.id)
  and exists (
    select from ${t.job} j
    where j.namespace = g.namespace and j.id = d.declared ->> 'id' and j.app = r.app and j.source = 'code'
      and g.id = any (j.previous_ids)
  )`;
}

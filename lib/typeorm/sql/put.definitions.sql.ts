import { definitionColumns } from './definition.columns.fragment.js';
import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';

/**
 * $1 time · $2 namespaces · $3 names · $4 versions, null: the next one · $5 kinds · $6 apps · $7 sources · $8 specs · $9 schemas of params · $10 hashes · $11 by whom · $12 whether any version that lives may be the same. Each name once.
 *
 * What is not in the answer was put by somebody else at this moment, for whose commit the insert has waited: the next call finds it. In the order of names, so that no two callers wait for each other.
 */
export function putDefinitionsSql(t: TableNames): string {
  return `
with given as materialized (
  select * from unnest($2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::boolean[]) with ordinality
    u (namespace, name, version, kind, app, source, spec, params_schema, hash, created_by, any_version, nth)
),
found as materialized (
  select g.nth, d.id, d.hash = g.hash and d.deleted_at is null as same
  from given g cross join lateral (
    select id, hash, deleted_at from ${t.definition}
    where namespace = g.namespace and name = g.name
      and (version = g.version or (g.version is null and deleted_at is null and (not g.any_version or hash = g.hash)))
    order by version desc limit 1
  ) d
  where g.version is not null or d.hash = g.hash
),
made as (
  insert into ${t.definition} (namespace, name, version, kind, app, source, spec, params_schema, hash, created_by, created_at)
  select g.namespace, g.name,
    coalesce(g.version, 1 + (select coalesce(max(d.version), 0) from ${t.definition} d where d.namespace = g.namespace and d.name = g.name)),
    g.kind, g.app, g.source, g.spec::json, g.params_schema::json, g.hash, g.created_by, ${now}
  from given g where g.nth <> all (array(select nth from found))
  order by g.namespace collate "C", g.name collate "C"
  on conflict (namespace, name, version) do nothing
  returning *
)
select g.nth::int, 'created' as status, ${definitionColumns('m')}
from made m join given g on g.namespace = m.namespace and g.name = m.name
union all
select f.nth::int, case when f.same then 'existing' else 'conflict' end, ${definitionColumns('d')}
from found f join ${t.definition} d on d.id = f.id`;
}

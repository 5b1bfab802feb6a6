import { definitionKey } from '../../model/definition.js';
import { forgotten } from './forgotten.fragment.js';
import { archiving } from './history.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/**
 * $1 time · $2 horizon in ms · $3 into the history · $4 limit · $5 definitions to pass over · $6 really
 *
 * Those that nothing refers to, and the highest number of a name only where it is the last row of that name. Counted, not EXISTS: as a join the planner might read all jobs; these are found by the indexes of their metadata.
 */
export function forgetDefinitionsSql(t: TableNames): string {
  const reference = `jsonb_build_object('${definitionKey}', d.name || '@' || d.version)`;
  // What the code declares is run in any namespace: by tenants.
  const within = (of: string): string => `(d.source = 'code' or ${of}.namespace = d.namespace)`;
  const ofName = `select count(*) from ${t.definition} o where o.namespace = d.namespace and o.name = d.name`;
  return `
with old as materialized (
  select d.id as key from ${t.definition} d
  where d.deleted_at < ${at('$2::float8')} and d.id <> all ($5::bigint[])
    and ((${ofName} and o.version > d.version) > 0 or (${ofName}) = 1)
    and (select count(*) from ${t.job} j where ${within('j')} and j.metadata @> ${reference}) = 0
    and (select count(*) from ${t.run} r where r.keyed and r.metadata <> '{}' and ${within('r')} and r.metadata @> ${reference}) = 0
    and (select f.id from ${t.flow} f where ${within('f')} and f.workflow = d.name and f.version = d.version limit 1) is null
  order by d.deleted_at, d.id limit $4 for update of d skip locked
),
gone as (
  delete from ${t.definition} where $6::boolean and id = any (array(select key from old)) returning *
),${archiving(t, 'definition', 'gone', '$3')}${forgotten('$6')}`;
}

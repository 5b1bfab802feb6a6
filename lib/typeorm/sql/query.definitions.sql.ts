import { definitionColumns } from './definition.columns.fragment.js';
import type { TableNames } from './table.names.js';

// $1 time · $2 limit · the rest as `where` says.
export function queryDefinitionsSql(t: TableNames, where: string): string {
  return `
select ${definitionColumns('v')}, $1::numeric as now
from ${t.definition} v where ${where} order by v.namespace, v.name, v.version limit $2::bigint`;
}

/** A condition: no later version of the name lives. */
export function isLatest(t: TableNames): string {
  return `v.deleted_at is null and not exists (
    select from ${t.definition} n where n.namespace = v.namespace and n.name = v.name and n.version > v.version and n.deleted_at is null
  )`;
}

import { definitionColumns } from './definition.columns.fragment.js';
import type { TableNames } from './table.names.js';

/** $1 time · $2 namespace · $3 name · $4 version; null: the latest that lives */
export function getDefinitionSql(t: TableNames): string {
  return `
select ${definitionColumns('d')}, $1::numeric as now
from ${t.definition} d
where d.namespace = $2::text and d.name = $3::text and (d.version = $4::int or ($4::int is null and d.deleted_at is null))
order by d.version desc limit 1`;
}

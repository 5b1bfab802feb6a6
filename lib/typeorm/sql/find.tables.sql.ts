import { allTables, type TableNames } from './table.names.js';

/**
 * Whether `meta` is there, and which relations lack rights of this role: a row for each of these, and one for `meta` in any case. `lacks`: the rights as a grant names them; null: none is missing. All are asked for at
 * once and at the start: what only settles or forgets fails long after a run has done its work. The partition for days without one is written by name when the record is pruned.
 *
 * Not by to_regclass(), which may answer from a cache of before the lock of a migration.
 */
export function findTablesSql(t: TableNames): string {
  const names = [...allTables, 'attempt_default', 'run_number'].map((name) => `'${t.prefix}${name}'`);
  return `
select quote_ident(current_user) as role, c.relname = '${t.prefix}meta' as "isMeta",
  case c.relkind when 'S' then 'sequence ' else '' end || quote_ident(n.nspname) || '.' || quote_ident(c.relname) as relation, missing.rights as lacks
from pg_class c join pg_namespace n on n.oid = c.relnamespace
  cross join lateral (
    select string_agg(needed.name, ', ') as rights
    from unnest(case c.relkind when 'S' then array['usage'] else array['select', 'insert', 'update', 'delete'] end) needed (name)
    where not case c.relkind when 'S' then has_sequence_privilege(c.oid, needed.name) else has_table_privilege(c.oid, needed.name) end
  ) missing
where n.nspname = '${t.schemaText}' and c.relname in (${names.join(', ')})
  and (c.relname = '${t.prefix}meta' or missing.rights is not null)
order by c.relname`;
}

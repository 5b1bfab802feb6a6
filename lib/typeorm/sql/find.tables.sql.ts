import { defaultPartition } from './ledger.day.fragment.js';
import { allTables, type TableNames } from './table.names.js';

/**
 * Whether `meta` is there, which relations are gone, which lack rights of this role, and which hide rows from it (row level security without a policy for everything, or with one that restricts it), and whether what has the name of the default partition of the ledger is that: a row for each of these, and one for `meta` in any case. `lacks`: the rights as a grant names them; null: none is missing. All are asked for at
 * once and at the start: what only settles or forgets fails long after a run has done its work. The partition for days without one is written by name when the record is pruned.
 *
 * Not by to_regclass(), which may answer from a cache of before the lock of a migration.
 */
export function findTablesSql(t: TableNames): string {
  const names = relationNames(t).map((name) => `'${name}'`);
  return `
select quote_ident(current_user) as role, named.name::text, named.name = '${t.prefix}meta' as "isMeta", c.oid is null as "isGone",
  case c.relkind when 'S' then 'sequence ' else '' end || quote_ident('${t.schemaText}') || '.' || quote_ident(named.name) as relation, missing.rights as lacks,
  hidden.rows as "isHidden", apart.is as "isApart"
from unnest(array[${names.join(', ')}]::name[]) named (name)
  left join (pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = '${t.schemaText}') on c.relname = named.name
  cross join lateral (
    select string_agg(needed.name, ', ') as rights
    from unnest(case c.relkind when 'S' then array['usage'] else array['select', 'insert', 'update', 'delete'] end) needed (name)
    where not case c.relkind when 'S' then has_sequence_privilege(c.oid, needed.name) else has_table_privilege(c.oid, needed.name) end
  ) missing
  cross join lateral (
    select coalesce(row_security_active(c.oid), false)
      and not (coalesce(bool_or(p.polpermissive and p.polcmd = '*' and p."isForAll"), false) and coalesce(bool_and(p.polpermissive or p."isForAll"), true)) as rows
    from (
      select polpermissive, polcmd,
        coalesce(pg_get_expr(polqual, polrelid), 'true') = 'true' and coalesce(pg_get_expr(polwithcheck, polrelid), 'true') = 'true' as "isForAll"
      from pg_policy
      where polrelid = c.oid
        and (0::oid = any (polroles) or exists (select from unnest(polroles) of (role) where pg_has_role(of.role, 'usage')))
    ) p
  ) hidden
  cross join lateral (
    select named.name = '${defaultPartition(t).name}' and c.oid is not null and not exists (
      select from pg_partitioned_table l join pg_class a on a.oid = l.partrelid
      where l.partdefid = c.oid and a.relnamespace = c.relnamespace and a.relname = '${t.prefix}attempt'
    ) as is
  ) apart
where named.name = '${t.prefix}meta' or c.oid is null or missing.rights is not null or hidden.rows or apart.is
order by named.name`;
}

/** What there is from the first version on, or since, and no release can do without. */
export function relationNames(t: TableNames): string[] {
  return [...allTables, 'attempt_default', 'run_number'].map((name) => `${t.prefix}${name}`);
}

import type { TableNames } from './table.names.js';

/** So many rows that are gone are not worth a look. */
const leastGone = 10_000;
/** Of larger tables a share is gone before the server comes by itself; and it would take long. */
const mostLeft = 200_000;

/**
 * The `name`s, ready for a statement, of tables that are mostly rows which are gone, if we own them and nobody has just cleaned them up. `unknown`: the
 * server has counted nothing in it yet, as it is new. Without parameters.
 */
export function findSwollenSql(t: TableNames): string {
  return `
select s.relid::regclass::text as name, not exists (
    select from pg_stats p where p.schemaname = s.schemaname and p.tablename = s.relname and p.attname = 'job_uid'
  ) as unknown
from pg_stat_all_tables s join pg_class c on c.oid = s.relid
where s.relid in ('${t.run}'::regclass, '${t.cursor}'::regclass)
  and s.n_dead_tup > greatest(${leastGone}, s.n_live_tup) and s.n_live_tup < ${mostLeft}
  and (s.last_vacuum is null or s.last_vacuum < now() - interval '2 seconds')
  and pg_has_role(c.relowner, 'usage')`;
}

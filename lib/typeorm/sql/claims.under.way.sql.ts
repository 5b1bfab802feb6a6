import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 those that count, null: all
 *
 * Transactions that write runs and have read pauses: claims and firings, which may have read before a pause was stored. One that begins later than this
 * answer reads after it, as a statement locks its tables before it takes its snapshot. A dump, which reads everything, writes nothing.
 */
export function claimsUnderWaySql(t: TableNames): string {
  return `
with held as materialized (
  select l.pid, l.virtualtransaction, l.relation, l.mode from pg_locks l
  where l.locktype = 'relation' and l.granted and l.pid <> pg_backend_pid()
    and l.database = (select d.oid from pg_database d where d.datname = current_database())
    and l.relation in ('${t.run}'::regclass, '${t.pause}'::regclass)
)
select h.virtualtransaction as id, ${ms(now)} as now from held h
where h.relation = '${t.run}'::regclass and h.mode = 'RowExclusiveLock'
  and ($2::text[] is null or h.virtualtransaction = any ($2::text[]))
  and exists (
    select from held p where p.virtualtransaction = h.virtualtransaction and p.pid = h.pid and p.relation = '${t.pause}'::regclass
  )`;
}

import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

/**
 * $1 time · Cursors, locked: $2 jobs · $3 next times in ms, null: none
 * Gaps: $4 jobs · $5 from · $6 until · $7 verdicts · $8 counts · $9 reasons
 */
export function moveCursorsSql(t: TableNames): string {
  return `
with move as (
  select u.* from unnest($2::bigint[], $3::float8[]) u (job_uid, next_ms)
),
moved as (
  update ${t.cursor} c set next_at = ${at('m.next_ms')} from move m where c.job_uid = m.job_uid and m.next_ms is not null
),
ended as (
  delete from ${t.cursor} c using move m where c.job_uid = m.job_uid and m.next_ms is null
  returning c.job_uid, c.fired, c.fired_until
),
noted as (
  update ${t.job} j set fired = e.fired, fired_until = e.fired_until from ended e where j.uid = e.job_uid
),
gaps as (
  insert into ${t.gap} (job_uid, namespace, job_id, from_at, until_at, verdict, count, reason)
  select g.job_uid, j.namespace, j.id, ${at('g.from_ms')}, ${at('g.until_ms')}, g.verdict, g.count, g.reason
  from unnest($4::bigint[], $5::float8[], $6::float8[], $7::text[], $8::int[], $9::text[])
    g (job_uid, from_ms, until_ms, verdict, count, reason)
  join ${t.job} j on j.uid = g.job_uid
)
select ${ms(now)} as now`;
}

import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 run · $3 fence · $4 part behind which to begin
export function readRunLogSql(t: TableNames): string {
  return `
select fence, part, attempt, bytes, dropped, lines, ${ms(now)} as now from ${t.run_log}
where run_id = $2::bigint and (fence, part) > ($3::int, $4::int) order by fence, part`;
}

// $1 time · $2 run. The parts of its log without their lines, locked.
export function lockRunLogSql(t: TableNames): string {
  return `
select fence, part, line_count, bytes, ${ms(now)} as now from ${t.run_log} where run_id = $2::bigint order by fence, part for update`;
}

// $1 time · $2 run · $3 fence · $4 part · $5 fence · $6 part. From the first to before the second, which says how many lines that were.
export function dropLogPartsSql(t: TableNames): string {
  return `
with gone as (
  delete from ${t.run_log} where run_id = $2::bigint and (fence, part) >= ($3::int, $4::int) and (fence, part) < ($5::int, $6::int)
  returning line_count, dropped
)
update ${t.run_log} set dropped = dropped + (select coalesce(sum(g.line_count + g.dropped), 0)::int from gone g)
where run_id = $2::bigint and fence = $5::int and part = $6::int and ($1::float8 is null or true)`;
}

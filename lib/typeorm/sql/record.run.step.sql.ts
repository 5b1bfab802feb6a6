import type { TableNames } from './table.names.js';
import { at, now } from './time.fragment.js';

/**
 * $1 time · $2 run · $3 fence · $4 worker · $5 name · $6 position · $7 result · $8 attempt · $9 when it began
 *
 * `mine`: it is in these hands · `kept`: there was none of that name. The lock waits for whoever takes the run from its worker, and keeps others from it until the step is there: an update that has not come to its end is read again after it.
 */
export function recordRunStepSql(t: TableNames): string {
  return `
with mine as materialized (
  select r.id from ${t.run} r where r.id = $2::bigint and r.fence = $3::int and r.worker = $4::text and r.verdict is null for share
),
kept as (
  insert into ${t.run_step} (run_id, name, position, result, attempt, started_at, finished_at)
  select id, $5::text, $6::int, $7::json, $8::int, least(${at('$9::float8')}, ${now}), ${now} from mine
  on conflict (run_id, name) do nothing
  returning name
)
select exists (select from mine) as mine, exists (select from kept) as kept`;
}

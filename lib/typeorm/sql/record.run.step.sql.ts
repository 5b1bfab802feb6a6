import { heldRun } from './run.step.fragment.js';
import type { TableNames } from './table.names.js';
import { at, now } from './time.fragment.js';

/**
 * $1 time · $2 run · $3 fence · $4 worker · $5 name · $6 kind · $7 position · $8 attempt · $9 when it began · $10 the how manieth to end · $11 result
 *
 * `mine`: it is in these hands · `kept`: none of that name had ended.
 */
export function recordRunStepSql(t: TableNames): string {
  return `
with ${heldRun(t)},
kept as (
  insert into ${t.run_step} as s (run_id, name, kind, position, attempt, started_at, finished_at, ended, result, flow_step)
  select id, $5::text, $6::text, $7::int, $8::int, least(${at('$9::float8')}, ${now}), ${now}, $10::int, $11::json, flow_step from mine
  on conflict (run_id, name) do update set
    attempt = excluded.attempt, finished_at = excluded.finished_at, ended = excluded.ended, result = excluded.result, error = null,
    wait_until = case when s.kind <> 'step' then s.wait_until end
  where s.finished_at is null
  returning s.name
)
select exists (select from mine) as mine, exists (select from kept) as kept`;
}

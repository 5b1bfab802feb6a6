import { heldRun } from './run.step.fragment.js';
import type { TableNames } from './table.names.js';
import { at, now } from './time.fragment.js';

/**
 * $1 time · $2 run · $3 fence · $4 worker · $5 name · $6 kind · $7 position · $8 attempt · $9 when it began · $10 until when · $11 failures · $12 error
 *
 * What has ended stays as it is. `mine`: it is in these hands.
 */
export function recordStepWaitSql(t: TableNames): string {
  return `
with ${heldRun(t)},
kept as (
  insert into ${t.run_step} as s (run_id, name, kind, position, attempt, started_at, wait_until, failures, error, flow_step)
  select id, $5::text, $6::text, $7::int, $8::int, least(${at('$9::float8')}, ${now}), ${at('$10::float8')}, $11::int, $12::text, flow_step from mine
  on conflict (run_id, name) do update set
    attempt = excluded.attempt, wait_until = excluded.wait_until, failures = excluded.failures, error = excluded.error
  where s.finished_at is null
)
select exists (select from mine) as mine`;
}

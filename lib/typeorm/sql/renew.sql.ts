import { reachedBefore } from './lease.fragment.js';
import type { TableNames } from './table.names.js';
import { after, at, clock, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 worker · $3 lease in ms · $4 running, null: as it was · $5 what time it is for the worker, where it doubts a clock that has gone back; null: where not · $6 how far its clock is ahead · $7 how late its event loop is, both in ms, null: as it was · $8 the places of steps that it executes though they were given up, null: as it was
 *
 * No other table than that of workers: whoever locks one as a whole would take their leases from all workers. `stood_until`: where the lease stood before, also when it has ended or been cut.
 */
export function renewSql(t: TableNames): string {
  return `
with stood as (
  select greatest(lease_until, reached) as lease_until from ${t.worker} where id = $2
),
renewed as (
  update ${t.worker} w set reached = greatest(${reachedBefore('w')}, ${after(at('$5::float8'), '$3::float8')}), lease_until = ${after(now, '$3::float8')}, lease_ms = $3::float8, running = coalesce($4::int, running),
    clock_offset_ms = coalesce($6::float8, clock_offset_ms), loop_lag_ms = coalesce($7::float8, loop_lag_ms),
    given_up = nullif(coalesce($8::text[], given_up), '{}')
  where id = $2 and lease_until > ${now} and released_at is null
  returning lease_until, app
)
select (select ${ms('lease_until')} from renewed) as lease_until, (select ${ms('lease_until')} from stood) as stood_until,
  (select string_agg(distinct l.generation::text, ',') from ${t.worker} l
    where l.app = (select app from renewed) and l.lease_until > ${now} and l.released_at is null) as carried,
  ${clock} as now`;
}

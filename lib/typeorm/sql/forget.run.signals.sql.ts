import { forgotten } from './forgotten.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/** $1 time · $2 horizon in ms · $3 limit · $4 signals to pass over · $5 really. Those of a run without a verdict, or that may be retried, stay, as it may wait for them. */
export function forgetRunSignalsSql(t: TableNames): string {
  return `
with old as materialized (
  select g.id as key from ${t.run_signal} g
  where g.sent_at < ${at('$2::float8')} and g.id <> all ($4::bigint[])
    and (select count(*) from ${t.run} r where r.id = g.run_id and (r.verdict is null or r.verdict in ('failed', 'timed_out', 'lost'))) = 0
  order by g.id limit $3 for update skip locked
),
gone as (
  delete from ${t.run_signal} g where $5::boolean and g.id in (select key from old) returning g.id
)${forgotten('$5')}`;
}

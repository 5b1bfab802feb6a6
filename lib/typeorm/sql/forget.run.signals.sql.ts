import { forgotten } from './forgotten.fragment.js';
import { mayBeNeeded } from './retriable.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/** $1 time · $2 horizon in ms · $3 limit · $4 signals to pass over · $5 really. Those that an attempt may wait for that is still to come stay. */
export function forgetRunSignalsSql(t: TableNames): string {
  return `
with old as materialized (
  select g.id as key from ${t.run_signal} g
  where g.sent_at < ${at('$2::float8')} and g.id <> all ($4::bigint[])
    and not ${mayBeNeeded(t, 'g')}
  order by g.id limit $3 for update skip locked
),
gone as (
  delete from ${t.run_signal} g where $5::boolean and g.id in (select key from old) returning g.id
)${forgotten('$5')}`;
}

import { forgotten } from './forgotten.fragment.js';
import { mayBeNeeded } from './retriable.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/** $1 time · $2 horizon in ms · $3 limit · $4 runs to pass over · $5 really. All steps of a run at once; those that an attempt may need that is still to come stay. */
export function forgetRunStepsSql(t: TableNames): string {
  const age = 'coalesce(s.finished_at, s.started_at)';
  return `
with old as materialized (
  select s.run_id as key from ${t.run_step} s
  where ${age} < ${at('$2::float8')} and s.run_id <> all ($4::bigint[])
    and not ${mayBeNeeded(t, 's')}
  order by ${age} limit $3 for update skip locked
),
gone as (
  delete from ${t.run_step} s where $5::boolean and s.run_id in (select key from old) and ${age} < ${at('$2::float8')} returning s.run_id
)${forgotten('$5')}`;
}

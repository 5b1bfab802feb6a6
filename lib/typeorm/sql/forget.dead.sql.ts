import { forgotten } from './forgotten.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/** Of one recurring job; older ones are found in the ledger only. */
const mostOfJob = 1_000;

/**
 * $1 time · $2 horizon in ms · $3 limit · $4 runs to pass over · $5 really
 *
 * Dead letters of recurring jobs: job by job, by jumping from one to the next in the index, what is beyond the newest and what is too old. Those of
 * one-offs stay until somebody decides.
 */
export function forgetDeadSql(t: TableNames): string {
  return `
with recursive job (uid) as (
  (select dead_of from ${t.run} where dead_of is not null order by dead_of limit 1)
  union all
  select (select r.dead_of from ${t.run} r where r.dead_of > job.uid order by r.dead_of limit 1)
  from job where job.uid is not null
),
old as materialized (
  select r.id as key from ${t.run} r where r.id in (
    select found.id from job cross join lateral (
      (select b.id from ${t.run} b where b.dead_of = job.uid and b.id <> all ($4::bigint[]) order by b.id desc offset ${mostOfJob} limit $3)
      union all
      (select a.id from ${t.run} a where a.dead_of = job.uid and a.finished_at < ${at('$2::float8')} and a.id <> all ($4::bigint[]) order by a.id limit $3)
    ) found limit $3
  ) for update skip locked
),
gone as (
  delete from ${t.run} r using old where $5::boolean and r.id = old.key returning r.id
)${forgotten('$5')}`;
}

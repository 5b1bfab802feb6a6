import { unnest } from './arrays.fragment.js';
import { isOwn } from './own.run.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/**
 * $1 time · $2 runs · $3 fences · $4 workers · $5 attempts · $6 times · $7 fractions · $8 details as JSON
 *
 * No run is locked, and none is written: what ends one does not wait for this. Who has lost the run by the beginning of the statement is refused, and what a newer claim has said stays. No index but the key, so that a row is
 * written anew in its place. Comes to the runs whose reports were taken.
 */
export function reportRunProgressSql(t: TableNames): string {
  const columns = ['bigint', 'int', 'text', 'int', 'float8', 'float8', 'text'];
  return `
with given as (
  select u.* from ${unnest(columns.map((type, nth) => `$${nth + 2}::${type}[]`))}
    u (id, fence, worker, attempt, at_ms, fraction, details)
)
insert into ${t.run_progress} as p (run_id, fence, attempt, at, fraction, details)
select g.id, g.fence, g.attempt, ${at('g.at_ms')}, g.fraction, g.details::json
from given g join ${t.run} n on n.id = g.id and n.fence = g.fence
where ${isOwn(t)}
  -- The time is a parameter of every statement, and one that none of it mentions is an error.
  and ($1::float8 is null or true)
order by g.id
on conflict (run_id) do update
  set fence = excluded.fence, attempt = excluded.attempt, at = excluded.at, fraction = excluded.fraction, details = excluded.details
  where p.fence <= excluded.fence
returning p.run_id::text as id`;
}

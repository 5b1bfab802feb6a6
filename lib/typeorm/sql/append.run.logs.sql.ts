import { mostLogBytes, mostLogLines } from '../../model/run.log.js';
import { unnest } from './arrays.fragment.js';
import { isOwn } from './own.run.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/**
 * $1 time · $2 runs · $3 fences · $4 workers · $5 attempts · $6 parts · $7 times · $8 numbers of lines · $9 bytes · $10 lines dropped before · $11 lines as JSON
 *
 * Nothing is locked: what is written names its claim, so it is never taken for what another one has written, and it replaces nothing. Only who has lost the run by the beginning of the statement is refused. Comes
 * to the runs that have too many lines by now.
 */
export function appendRunLogsSql(t: TableNames): string {
  const columns = ['bigint', 'int', 'text', 'int', 'int', 'float8', 'int', 'int', 'int', 'text'];
  return `
with given as (
  select u.* from ${unnest(columns.map((type, nth) => `$${nth + 2}::${type}[]`))}
    u (id, fence, worker, attempt, part, at_ms, line_count, bytes, dropped, lines)
),
kept as (
  insert into ${t.run_log} (run_id, fence, part, attempt, at, line_count, bytes, dropped, lines)
  select id, fence, part, attempt, ${at('at_ms')}, line_count, bytes, dropped, lines::json
  from given g
  where ${isOwn(t)}
  on conflict do nothing
  returning run_id, line_count, bytes
),
fresh as (
  select run_id, sum(line_count) as line_count, sum(bytes) as bytes from kept group by run_id
)
select f.run_id::text as id from fresh f
cross join lateral (
  select coalesce(sum(l.line_count), 0) as line_count, coalesce(sum(l.bytes), 0) as bytes from ${t.run_log} l where l.run_id = f.run_id
) there
where there.line_count + f.line_count > ${mostLogLines} or there.bytes + f.bytes > ${mostLogBytes}
  -- The time is a parameter of every statement, and one that none of it mentions is an error.
  or $1::float8 = 'nan'`;
}

import type { TableNames } from './table.names.js';

/** A recursive query `within (top, id)`: the flows of `seed`, a query of these columns, and those within them; `below`: the `top` of one in `f`, in one of `w`. */
export function flowsWithinOf(t: TableNames, seed: string, below: string): string {
  return `within (top, id) as (
  ${seed}
  union all
  select ${below}, f.id from within w cross join lateral (select f.id, f.run_id from ${t.flow} f where f.parent = w.id offset 0) f
)`;
}

/** The steps `s`, of flows `f` of `within w`, that workers have in their hands, or whose runs are among `givenUp`, SQL: an array. */
export function runningWithin(t: TableNames, givenUp: string): string {
  return `
from within w cross join lateral (select f.* from ${t.flow} f where f.id = w.id and (f.active > 0 or ${givenUp} <> '{}') offset 0) f
  cross join lateral (select s.* from ${t.flow_step} s where s.flow = f.id and (s.released_at is not null and s.verdict is null or s.run_id = any (${givenUp})) and s.run_id is not null offset 0) s
where s.run_id = any (${givenUp}) or exists (select from ${t.run} r where r.id = s.run_id and r.flow_step = s.id and r.worker is not null and r.verdict is null)`;
}

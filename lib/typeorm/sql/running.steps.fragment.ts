import { stepPlace } from './step.place.fragment.js';
import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';

/** A recursive query `within (top, id)`: the flows of `seed`, a query of these columns, and those within them; `below`: the `top` of one in `f`, in one of `w`. */
export function flowsWithinOf(t: TableNames, seed: string, below: string): string {
  return `within (top, id) as (
  ${seed}
  union all
  select ${below}, f.id from within w cross join lateral (select f.id, f.run_id, f.first_run, f.place from ${t.flow} f where f.parent = w.id offset 0) f
)`;
}

/** The places of steps that go on though they were given up: those that the process which asks knows of, `asking`, SQL: an array, and those that live workers have told. Looked for only where there is a flow. */
export function givenUp(t: TableNames, asking: string): string {
  return `given_up as materialized (
  select array(
    select unnest(${asking}) union all
    select unnest(w.given_up) from ${t.worker} w where w.released_at is null and w.given_up is not null and w.lease_until > ${now}
  ) as places
)`;
}

/** The steps `s`, of flows `f` of `within w`, that workers have in their hands, or whose places are among those of `givenUp`: `i.itself`; or in which such a place is, of an earlier run: an item of a map, or a step of the workflow that it was. */
export function runningWithin(t: TableNames): string {
  const givenUp = '(select places from given_up)::text[]';
  return `
from within w cross join lateral (select f.* from ${t.flow} f where f.id = w.id and (f.active > 0 or ${givenUp} <> '{}') offset 0) f
  cross join lateral (select s.*, ${stepPlace('s', 'f')} as place from ${t.flow_step} s where s.flow = f.id and (s.released_at is not null and s.verdict is null and s.run_id is not null or ${givenUp} <> '{}') offset 0) s
  cross join lateral (select s.place = any (${givenUp})
    or exists (select from ${t.run} r where s.released_at is not null and s.verdict is null and r.id = s.run_id and r.flow_step = s.id and r.worker is not null and r.verdict is null) as itself offset 0) i
where i.itself or exists (select from unnest(${givenUp}) g (place) where starts_with(g.place, s.place || '/') or starts_with(g.place, s.place || '.'))`;
}

import { rankOf } from './rank.fragment.js';
import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';
import { isInClaims } from './waiting.fragment.js';

/** A CTE `parker` (needs WITH RECURSIVE): the workers that have parked runs, found by jumping from one to the next in the index. */
export function parkers(t: TableNames): string {
  return `
parker (worker) as (
  (select parked_by from ${t.run} where parked_by is not null order by parked_by limit 1)
  union all
  select (select r.parked_by from ${t.run} r where r.parked_by > p.worker order by r.parked_by limit 1)
  from parker p where p.worker is not null
)`;
}

/**
 * Those that are claimed and not parked, after a CTE `due_queue`. Nothing leads to them but the index of claims, so all that is due is looked at, or was by a clock that was ahead: only for what
 * happens rarely. `belongs`: a condition on their `r.worker`.
 */
export function claimedOnly(t: TableNames, belongs: string): string {
  return `
  select found.* from due_queue q cross join generate_series(0, 9) p (rank) cross join lateral (
    select r.id, r.fence, r.worker from ${t.run} r
    where r.queue = q.name and ${rankOf('r')} = p.rank and ${isInClaims('r')} and r.due_at <= (select greatest(${now}, max(w.reached)) from ${t.worker} w)
      and r.worker is not null and ${belongs}
    order by r.due_at offset 0
  ) found`;
}

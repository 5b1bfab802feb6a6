import type { TableNames } from './table.names.js';
import { after, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 app · $3 grace in ms · $4 a worker that goes over to the set that is to be noted; null: there is none
 *
 * The sets of the app that workers carry, or did within the grace, and in each row the last place that was given; one row without a set where there are none.
 */
export function carriedSetsSql(t: TableNames): string {
  return `
with held as (
  select generation, max(case when id = $4::text then least(lease_until, ${now}) else lease_until end) as until from ${t.worker}
  where app = $2 and generation is not null and lease_until > ${after(now, '-$3::float8')} group by generation
)
select top.place::numeric as last_place, r.generation, r.set_hash, r.place::numeric as place, to_json(r.declared) as declared, r.declarations,
  case when h.until <= ${now} then ${ms('h.until')} end as carried_until, ${ms(now)} as now
from (select coalesce(max(place), 0) as place from ${t.release} where app = $2) top
left join (held h join ${t.release} r on r.generation = h.generation) on true
order by r.generation`;
}

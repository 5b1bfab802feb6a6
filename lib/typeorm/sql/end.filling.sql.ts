import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 the mark of what is not filled. Stays while there are such rows.
export function endFillingSql(t: TableNames): string {
  return `
with done as (
  select m.key from ${t.meta} m
  where m.key = $2
    and not exists (select from ${t.cursor} c join ${t.job} j on j.uid = c.job_uid where c.app is null and j.app is not null)
    and not exists (
      select from ${t.run} r join ${t.job} j on j.uid = coalesce(r.job_uid, r.dead_of) where r.app is null and j.app is not null
    )
  for update of m skip locked
)
delete from ${t.meta} m using done where m.key = done.key returning ${ms(now)} as now`;
}

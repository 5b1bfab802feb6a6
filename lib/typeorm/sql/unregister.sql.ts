import { reachedBefore } from './lease.fragment.js';
import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';
import { notify } from './wake.fragment.js';

// $1 time · $2 worker. Others are told; of the last one that carries a set they are told so.
export function unregisterSql(t: TableNames): string {
  const isLast = `e.generation is not null and not exists (
    select from ${t.worker} o
    where o.app = e.app and o.generation = e.generation and o.id <> e.id and o.lease_until > ${now} and o.released_at is null
  )`;
  const tell =
    t.channel === null ? '' : `, ${notify(t, `case when ${isLast} then 'release' else 'change' end`)}`;
  return `
with ended as (
  update ${t.worker} w set reached = ${reachedBefore('w')}, lease_until = least(lease_until, ${now}), running = 0 where id = $2 returning id, app, generation
)
select e.id${tell} from ended e`;
}

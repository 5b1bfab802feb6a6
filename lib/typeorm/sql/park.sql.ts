import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 worker · $3 runs. Those that it has had for a while leave the index of claims, where others would pass over them each time. One that somebody has locked stays in it: the
// renewal that this belongs to must not wait for that.
export function parkSql(t: TableNames): string {
  return `
update ${t.run} set parked_by = $2
where id = any (array(select id from ${t.run} where id = any ($3::bigint[]) order by id for update skip locked)) and worker = $2 and parked_by is null
returning ${ms(now)} as now`;
}

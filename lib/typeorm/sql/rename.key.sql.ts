import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 namespace · $3 id · $4 new namespace · $5 new id. Moves the row that reserves a recurring job's id; nothing comes out where the new one is taken.
export function renameKeySql(t: TableNames): string {
  return `
update ${t.run} r set namespace = $4, job_id = $5
where r.namespace = $2 and r.job_id = $3 and r.keyed and r.origin = 'reserved'
  and not exists (select from ${t.run} o where o.namespace = $4 and o.job_id = $5 and o.keyed)
returning ${ms(now)} as now`;
}

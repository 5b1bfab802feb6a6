import { runColumns } from './run.view.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 namespace · $3 id. The run that a one-off is.
export function readOneOffRunSql(t: TableNames): string {
  return `
select ${runColumns}, ${ms(now)} as now from ${t.run} r
where r.namespace = $2 and r.job_id = $3 and r.keyed and r.origin <> 'reserved'`;
}

import { awaitedEndRows } from './jammed.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 run. Waits in its turn for all that the end of a run writes; what was there before the waiting, so what comes out says nothing.
export function awaitRunSql(t: TableNames): string {
  return `
with caught as materialized (
  select r.id, r.job_uid, r.blocks from ${t.run} r where r.id = $2::bigint for update
),
${awaitedEndRows(t)}
select (select count(*) from caught) + (select count(*) from stat_row) + (select count(*) from delay_row) + (select count(*) from next_row) as locked,
  ${ms(now)} as now`;
}

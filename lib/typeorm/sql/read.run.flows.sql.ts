import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/** By what runs of one flow can be told from those of others, without its tables: the run of the flow, which is the beginning of the id of their job. */
export const flowKey = (run: string): string =>
  `case when ${run}.flow_step is not null then split_part(${run}.job_id, '/', 1) else ${run}.id::text end`;

// $1 time · $2 runs. Those of them whose end concerns a flow, and which.
export function readRunFlowsSql(t: TableNames): string {
  return `
select r.id::text, ${flowKey('r')} as flow, ${ms(now)} as now from ${t.run} r
where r.id = any ($2::bigint[]) and (r.flow_step is not null or r.flow is not null)`;
}

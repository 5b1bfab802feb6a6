import type { TableNames } from './table.names.js';
import { ms } from './time.fragment.js';

/** The state of a step `s` of a flow `f` in a word. */
export const stepState = `case
    when s.verdict is not null then s.verdict
    when s.released_at is not null then 'released'
    when f.verdict is not null then 'blocked'
    else 'waiting'
  end`;

// $1 time · $2 limit · from $3 on what the conditions need. Those of the newest runs first.
export function queryFlowsSql(t: TableNames, where: string): string {
  return `
select f.id::text, f.run_id::text, f.workflow, f.version, f.namespace, f.app, f.params, f.verdict, case when f.verdict is null then f.ending ->> 'outcome' end as ending, f.retry_of::text,
  ${ms('f.opened_at')} as opened_at, ${ms('f.ended_at')} as ended_at, ${ms('f.paused_at')} as paused_at,
  (select json_object_agg(c.state, c.count) from (select ${stepState} as state, count(*) from ${t.flow_step} s where s.flow = f.id group by 1) c) as counts
from (select f.* from ${t.flow} f cross join (select $1::float8) time where ${where} order by f.run_id desc limit $2) f
order by f.run_id desc`;
}

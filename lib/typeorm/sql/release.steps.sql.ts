import { births, goesOn, newRunId } from './step.births.fragment.js';
import type { TableNames } from './table.names.js';
import { moment } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/** $1 time · $2 steps of a locked flow · $3 the run of each of which it has the durable steps and the signals, null: of none. Releases them, whatever they wait for. */
export function releaseStepsSql(t: TableNames): string {
  return `
with given as materialized (
  select u.id, u.before, ${newRunId(t)} as run_id from unnest($2::bigint[], $3::bigint[]) u (id, before)
),
released as (
  update ${t.flow_step} s set released_at = ${moment}, run_id = g.run_id from given g where s.id = g.id returning s.*, g.before
),
${births(t, `released s cross join lateral (select f.* from ${t.flow} f where f.id = s.flow offset 0) f`, null, `case when s.before is null then 0 else ${goesOn} end`)},
carried as (
  update ${t.run_step} s set run_id = g.run_id, flow_step = g.id from given g where s.run_id = g.before
),
carried_signals as (
  update ${t.run_signal} n set run_id = g.run_id, flow_step = g.id from given g where n.run_id = g.before
),
${tellDue(t, 'run', 'select min(due_at) from born')}
select ${toldColumn}`;
}

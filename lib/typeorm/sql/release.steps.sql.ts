import { carriedSteps } from './lapsed.wait.fragment.js';
import { births, goesOn, newRunId } from './step.births.fragment.js';
import type { TableNames } from './table.names.js';
import { moment } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/** $1 time · $2 steps of a locked flow · $3 the run of each of which it has the durable steps and the signals, null: of none. Releases them, whatever they wait for. */
export function releaseStepsSql(t: TableNames): string {
  return releasing(
    t,
    `select u.id, u.before, null::json as payload, ${newRunId(t)} as run_id from unnest($2::bigint[], $3::bigint[]) u (id, before)`,
  );
}

/** `given`: a query of steps (`id, run_id, payload`), the run of each of which it goes on with what that has left (`before`); a payload of null: it keeps its own. */
export function releasing(t: TableNames, given: string): string {
  return `
with given as materialized (
  ${given}
),
released as (
  update ${t.flow_step} s set released_at = ${moment}, run_id = g.run_id, payload = coalesce(g.payload, s.payload) from given g where s.id = any (array(select id from given)) and s.id = g.id returning s.*, g.before
),
${births(t, `released s cross join lateral (select f.* from ${t.flow} f where f.id = s.flow offset 0) f`, null, `case when s.before is null then 0 else ${goesOn} end`)},
${carriedSteps(t, { name: 'carried', set: 'run_id = g.run_id, flow_step = g.id', from: 'given g', where: 's.run_id = any (array(select before from given)) and s.run_id = g.before' }, moment)},
carried_signals as (
  update ${t.run_signal} n set run_id = g.run_id, flow_step = g.id from given g where n.run_id = any (array(select before from given)) and n.run_id = g.before
),
${tellDue(t, 'run', 'select min(due_at) from born')}
select ${toldColumn}`;
}

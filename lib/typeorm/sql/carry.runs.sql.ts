import { carriedSteps } from './lapsed.wait.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/** $1 time · $2 runs of steps that have not ended well · $3 those that go on in their place, which have what these have left: durable steps, and signals. After `advanceFlowsSql`. */
export function carryRunsSql(t: TableNames): string {
  return `
with given as materialized (
  select u.before, u.run_id from unnest($2::bigint[], $3::bigint[]) u (before, run_id)
),
${carriedSteps(t, { name: 'carried', set: 'run_id = g.run_id', from: 'given g', where: 's.run_id = any (array(select before from given)) and s.run_id = g.before' }, now)},
carried_signals as (
  update ${t.run_signal} n set run_id = g.run_id from given g where n.run_id = any (array(select before from given)) and n.run_id = g.before
)
select count(*)::int as count, ${ms(now)} as now from given`;
}

import { flowsWithinOf, givenUp, runningWithin } from './running.steps.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 flow · $3 runs that this process has given up, and executes all the same. The steps that workers have in their hands, or that go on though they were given up, of it and of the workflows within it; `top`: the run of the step of this flow in which that is.
export function readRunningStepsSql(t: TableNames): string {
  return `
with recursive ${flowsWithinOf(t, 'select null::bigint, $2::bigint', 'coalesce(w.top, f.run_id)')},
${givenUp(t, '$3::bigint[]')}
select s.name, nullif(s.nth, -1) as nth, f.run_id::text as flow_run_id, f.workflow, coalesce(w.top, s.run_id)::text as top, ${ms(now)} as now
${runningWithin(t)}`;
}

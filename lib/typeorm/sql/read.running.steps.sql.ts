import { flowsWithinOf, givenUp, runningWithin } from './running.steps.fragment.js';
import { flowPlace } from './step.place.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 flow · $3 the places of steps that this process has given up, and executes all the same. The steps that workers have in their hands, or that go on though they were given up, of it and of the workflows within it; `top`: the place of the step of this flow in which that is; those of the newest flows first.
export function readRunningStepsSql(t: TableNames): string {
  return `
with recursive ${flowsWithinOf(t, 'select null::text collate "C", $2::bigint', `coalesce(w.top, ${flowPlace('f')})`)},
${givenUp(t, '$3::text[]')}
select s.name, nullif(s.nth, -1) as nth, f.run_id::text as flow_run_id, f.workflow, coalesce(w.top, s.place) as top, s.place, i.itself, ${ms(now)} as now
${runningWithin(t)} order by f.run_id desc`;
}

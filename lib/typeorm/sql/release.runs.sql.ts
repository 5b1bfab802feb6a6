import type { TableNames } from './table.names.js';
import { tellDue, toldColumn } from './wake.fragment.js';

// $1 time · $2 jobs · $3 runs of one-offs. Ends the hold of a pause: due at the old times, or blocked as before.
export function releaseRunsSql(t: TableNames): string {
  return `
with released as (
  update ${t.run} set held = false,
    due_at = case when not blocked then coalesce(held_due_at, due_at) end, held_due_at = case when blocked then held_due_at end
  where (job_uid = any ($2::bigint[]) or id = any ($3::bigint[])) and held
  returning case when worker is null then due_at end as due_at
),
${tellDue(t, 'run', 'select min(due_at) from released')}
select ${toldColumn} from released`;
}

import { runColumns } from './run.view.fragment.js';
import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

// $1 time · $2 namespace · $3 id · $4 trace. A run of a recurring job beside whatever goes on; the lock keeps the job from being deleted meanwhile.
export function runManuallySql(t: TableNames): string {
  return `
with job as (
  select * from ${t.job} where namespace = $2 and id = $3 for share
),
born as (
  insert into ${t.run} (namespace, job_id, keyed, job_uid, origin, handler, queue, priority, nominal_at, due_at, app, trace_parent)
  select namespace, id, false, uid, 'manual', handler, queue, priority, ${now}, ${now}, app, $4 from job
  returning *
),
${tellDue(t, 'run', 'select due_at from born')}
select ${runColumns}, ${toldColumn} from born r`;
}

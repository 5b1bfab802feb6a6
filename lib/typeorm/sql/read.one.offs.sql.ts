import { isOpen } from './open.fragment.js';
import { pauseEndOf } from './pause.end.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 runs, which are locked · $3 whether with payloads. One-offs with all that a change needs to know.
export function readOneOffsSql(t: TableNames): string {
  return `
select r.id::text as run_id, r.namespace, r.job_id as id, r.name, r.handler, r.queue, r.priority, r.trigger, r.time_zone,
  case when $3::boolean then r.payload end as payload, r.metadata, r.policies, r.source, r.app, r.definition_hash, r.revision,
  ${ms('r.created_at')} as created_at, ${ms('r.paused_at')} as paused_at, r.paused_reason, r.paused_by, ${ms(pauseEndOf(t, 'r', 'job_id'))} as paused_until,
  r.worker is not null or ${isOpen('r')} is true as running, r.verdict, ${ms(now)} as now
from ${t.run} r where r.id = any ($2::bigint[]) order by r.id`;
}

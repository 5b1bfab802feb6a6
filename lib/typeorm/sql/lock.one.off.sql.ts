import { isOpen } from './open.fragment.js';
import { pauseEndOf } from './pause.end.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 namespace · $3 id; `some`: namespaces and ids · $4 whether with payloads. A one-off with all that a change needs to know, locked until the transaction ends.
export function lockOneOffSql(t: TableNames, which: 'one' | 'some'): string {
  const where = {
    one: 'r.namespace = $2 and r.job_id = $3',
    some: '(r.namespace, r.job_id) in (select u.* from unnest($2::text[], $3::text[]) u)',
  }[which];
  const payload = which === 'some' ? 'case when $4::boolean then r.payload end as payload' : 'r.payload';
  return `
select r.id::text as run_id, r.namespace, r.job_id as id, r.name, r.handler, r.queue, r.priority, r.trigger, r.time_zone,
  ${payload}, r.metadata, r.policies, r.source, r.app, r.definition_hash, r.revision,
  ${ms('r.created_at')} as created_at, ${ms('r.paused_at')} as paused_at, r.paused_reason, r.paused_by, ${ms(pauseEndOf(t, 'r', 'job_id'))} as paused_until,
  r.worker is not null or ${isOpen('r')} is true as running, r.verdict, ${ms(now)} as now
from ${t.run} r
where ${where} and r.keyed and r.origin <> 'reserved'
${which === 'some' ? 'order by r.id ' : ''}for update of r`;
}

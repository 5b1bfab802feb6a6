import { mayBeEndedBy } from './pause.end.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 app · $3 limit. Ends that have come, those of pauses that are over as well. Locks nothing: jobs and scopes are locked before their ends.
export function duePauseEndsSql(t: TableNames): string {
  return `
select e.kind, e.namespace, e.name, ${ms(now)} as now from ${t.pause_end} e
where e.until_at <= ${now} and e.until_at < 'infinity' and ${mayBeEndedBy(t, 'e', '$2::text')}
order by e.until_at limit $3::bigint`;
}

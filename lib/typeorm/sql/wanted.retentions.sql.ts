import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';

// $1 time. How long the record is to be kept, as the live workers of each app want it; where all of them are gone, as the last one did.
export function wantedRetentionsSql(t: TableNames): string {
  return `
select distinct retention
from (
  select retention, lease_until, max(lease_until) over (partition by app) as last from ${t.worker} where retention is not null
) w
where lease_until > ${now} or lease_until = last`;
}

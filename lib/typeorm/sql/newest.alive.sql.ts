import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';

// $1 time · $2 app · $3 worker that asks. The newest generation that another live worker of the app runs.
export function newestAliveSql(t: TableNames): string {
  return `
select coalesce(max(generation), 0) as generation from ${t.worker}
where app = $2 and id is distinct from $3 and lease_until > ${now} and released_at is null`;
}

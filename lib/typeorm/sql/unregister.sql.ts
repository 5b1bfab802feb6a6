import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';

// $1 time · $2 worker
export function unregisterSql(t: TableNames): string {
  const tell = t.channel === null ? '' : `, pg_notify('${t.channel}', 'change')`;
  return `
with ended as (
  update ${t.worker} set lease_until = least(lease_until, ${now}), running = 0 where id = $2 returning id
)
select id${tell} from ended`;
}

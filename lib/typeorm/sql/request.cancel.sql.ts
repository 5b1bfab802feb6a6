import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';
import { notify } from './wake.fragment.js';

// $1 time · $2 runs in the hands of workers
export function requestCancelSql(t: TableNames): string {
  const tell = t.channel === null ? '' : `, ${notify(t, `'cancel'`)} as told`;
  return `
with asked as (
  update ${t.run} set cancel_requested = true where id = any ($2::bigint[]) returning id
)
select count(*)::int as count, ${ms(now)} as now${tell} from asked having count(*) > 0`;
}

import { isLiving } from './living.apps.sql.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 apps · $3 after this key · $4 limit. Recurring jobs of them that were made at run time, as far as the apps have no live worker.
export function findHeritageSql(t: TableNames): string {
  return `
select j.uid::text, j.app, ${ms(now)} as now from ${t.job} j
where j.uid > $3::bigint and j.source <> 'code' and j.app = any ($2::text[]) and not ${isLiving(t, 'j.app')}
order by j.uid limit $4`;
}

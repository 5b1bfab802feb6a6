import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 apps. Jobs were taken from them: what their live workers declare is to be looked at again.
export function leaveAppSql(t: TableNames): string {
  return `update ${t.release} set synced_beside = null where app = any ($2::text[]) and synced_beside is not null returning ${ms(now)} as now`;
}

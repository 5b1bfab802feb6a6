import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 job · $3 fixed delay in ms. What a cursor copies from its job; the new revision voids what was planned for the old one.
export function updateCursorSql(t: TableNames): string {
  return `
update ${t.cursor} c set namespace = j.namespace, handler = j.handler, queue = j.queue, revision = j.revision, delay_ms = $3::bigint, app = j.app
from ${t.job} j where c.job_uid = $2::bigint and j.uid = c.job_uid
returning ${ms(now)} as now`;
}

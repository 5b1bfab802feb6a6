import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

// $1 time · $2 job · $3 next time in ms · $4 fixed delay in ms
export function putCursorSql(t: TableNames): string {
  return `
with stands as (
  insert into ${t.cursor} (job_uid, namespace, handler, queue, next_at, delay_ms, revision, fired, fired_until, app)
  select uid, namespace, handler, queue, ${at('$3::float8')}, $4::bigint, revision, fired, fired_until, app from ${t.job} where uid = $2::bigint
  on conflict (job_uid) do update set namespace = excluded.namespace, handler = excluded.handler, queue = excluded.queue, next_at = excluded.next_at,
    delay_ms = excluded.delay_ms, revision = excluded.revision, fired = excluded.fired, app = excluded.app
  returning next_at
),
${tellDue(t, 'cursor', 'select next_at from stands')}
select ${toldColumn} from stands`;
}

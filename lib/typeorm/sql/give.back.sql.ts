import { unnest } from './arrays.fragment.js';
import { endings } from './endings.fragment.js';
import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';
import { toldColumn } from './wake.fragment.js';

// $1 time · $2 run ids · $3 fences · $4 workers. No attempt was made, so nothing is recorded; but what nobody wants any more ends.
export function giveBackSql(t: TableNames): string {
  return `
with given as (
  select u.* from ${unnest(['$2::bigint[]', '$3::int[]', '$4::text[]'])} u (id, fence, worker)
),
mine as materialized (
  select r.*, r.last_attempt or r.cancel_requested as unwanted
  from given g join ${t.run} r on r.id = g.id and r.fence = g.fence and r.worker = g.worker
  where r.started_at is not null
  order by r.id for update of r
),
ending as (
  select id, keyed, job_uid, namespace, job_id, handler, queue, origin, retry_of, nominal_at, policies,
    attempt - 1 as attempt, fence + 1 as fence, null::text as worker,
    null::timestamptz as started_at, ${now} as finished_at, 'cancelled' as outcome, unwanted as final,
    null::text as error, null::text as result, unwanted as record,
    attempt - 1 as next_attempt, fence + 1 as next_fence, lost_count as next_lost,
    due_at as retry_at
  from mine
),
${endings(t)}
select id::text, job_uid::text, final, ${toldColumn} from ending`;
}

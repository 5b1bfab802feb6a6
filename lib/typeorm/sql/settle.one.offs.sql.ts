import { unnest } from './arrays.fragment.js';
import { withLockTimeout } from './lock.timeout.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/**
 * $1 time · $2 run ids · $3 fences · $4 started · $5 finished · $6 results · $7 worker · $8 how long to wait for a lock, in ms as text
 *
 * For one-offs that have succeeded, half as dear as `settleSql`: each goes, and leaves a row in the ledger. It settles those of them that nothing else depends on,
 * whatever it is told: the rest is left for that one.
 *
 * The ids are to come in order, so that rows are locked as everywhere; of the same one twice the first counts. It answers how many it has settled, and which, unless these are all.
 * It fails with 55P03 when it has to wait for a lock: `settleSql` passes over what is locked.
 */
export function settleOneOffsSql(t: TableNames): string {
  const keep = `coalesce(r.policies ->> 'keepMs', '0')`;
  return `
with gone as (
  delete from ${t.run} r
  using ${unnest([withLockTimeout('$2::bigint[]', '$8'), '$3::int[]', '$4::float8[]', '$5::float8[]', '$6::text[]'])}
    s (id, fence, started_ms, finished_ms, result)
  where r.id = s.id and r.fence = s.fence and r.worker = $7 and r.started_at is not null
    and r.job_uid is null and not r.blocks and r.flow is null and (not r.keyed or ${keep} in ('0', 'none'))
  returning r.id, r.namespace, r.job_id, coalesce(r.claimed_handler, r.handler) as handler, coalesce(r.claimed_queue, r.queue) as queue,
    r.origin, r.nominal_at, r.attempt, r.fence, r.worker, s.started_ms, s.finished_ms, s.result, r.retry_of, ${keep} as keep
),
ledger as (
  insert into ${t.attempt} (run_id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence,
    worker, outcome, final, started_at, finished_at, result, retry_of)
  select id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence,
    worker, 'succeeded', true, ${at('started_ms')}, ${at('finished_ms')}, result::json, retry_of
  from gone where keep <> 'none'
)
-- The time is a parameter of every statement, and one that none of it mentions is an error.
select settled, case when settled < cardinality($2::bigint[]) then to_json(ids::text[]) end as ids
from (select count(*)::int as settled, array_agg(id) as ids from gone) answer cross join (select $1::float8) time`;
}

import { abandoned } from '../../ports/abandonment.js';
import { unnest } from './arrays.fragment.js';
import { endings } from './endings.fragment.js';
import { flowEndColumn } from './flow.end.fragment.js';
import { jammed } from './jammed.fragment.js';
import { withLockTimeout } from './lock.timeout.fragment.js';
import { mustNotRunTwice } from './recovery.fragment.js';
import type { TableNames } from './table.names.js';
import { at, now } from './time.fragment.js';
import { toldColumn } from './wake.fragment.js';

/**
 * Where rows are passed over: what may still have to be waited for is the commit of somebody else who notifies, and a row that was born or locked since the statement
 * began. Not the lock of a table, which the server takes before it carries out a statement: that waits until the deadline of the statement. In ms.
 */
const longestWaitMs = 2_000;

/**
 * $1 time · $2 run ids · $3 fences · $4 outcomes · $5 started · $6 finished · $7 retry at · $8 errors · $9 results · $10 fingerprints · $11 worker · $12 blocking (boolean) · `briefly`: $13 how long to wait for a lock, in ms as text
 *
 * Runs are addressed by id, fence and worker; `started_at` tells a settled one from one in somebody's hands. No index is on `worker`: one that the planner
 * could choose here would cost three quarters of the rate. The rows are locked before anything is decided, in the
 * order of ids: a cancel or a delete under way is waited for and seen. `waiting`: for as long as it takes · `briefly`: for a moment, then the statement fails with
 * 55P03 · `passing`: not at all; what is locked, or needs a row that is (the statistics, a fixed delay, a run that waits for it), comes out as `locked`, untouched: neither this statement nor `unblockSql` after it waits.
 *
 * A run that another one waits for, which a step of a workflow is marked as, and one that is a workflow, is settled only where `$12` says so, as the caller then has to run what follows in the same transaction, see `conclude`;
 * else it comes out as `deferred`, untouched. `opens`: the step of a workflow that was left open, as which another one may open.
 */
export function settleSql(t: TableNames, locks: 'waiting' | 'briefly' | 'passing'): string {
  const ids =
    locks === 'waiting'
      ? '$2::bigint[]'
      : withLockTimeout('$2::bigint[]', locks === 'briefly' ? '$13' : longestWaitMs);
  const passing = locks === 'passing';
  return `
with said as (
  select distinct on (u.id, u.fence) u.*
  from ${unnest([ids, '$3::int[]', '$4::text[]', '$5::float8[]', '$6::float8[]', '$7::float8[]', '$8::text[]', '$9::text[]', '$10::text[]'])}
    u (id, fence, outcome, started_ms, finished_ms, retry_ms, error, result, fingerprint)
  order by u.id, u.fence
),
${passing ? 'caught' : 'mine'} as materialized (
  select r.id, r.keyed, r.job_uid, r.namespace, r.job_id, r.origin, r.retry_of, r.nominal_at, r.policies, r.flow_step, r.flow,
    coalesce(r.claimed_handler, r.handler) as handler, coalesce(r.claimed_queue, r.queue) as queue,
    r.attempt, r.fence, r.lost_count, r.worker, r.due_at, r.blocks,
    r.last_attempt or r.cancel_requested as unwanted, s.outcome in ('handed_back', 'snoozed', 'opened') as handed,
    case when s.outcome = 'handed_back' then ${mustNotRunTwice(t, 'r')} else false end as once,
    r.signalled_fence = r.fence as signalled, s.outcome, s.started_ms, s.finished_ms, s.retry_ms, s.error, s.result, s.fingerprint
  from said s join ${t.run} r on r.id = s.id and r.fence = s.fence
  where r.worker = $11 and r.started_at is not null
  order by r.id for update of r${passing ? ' skip locked' : ''}
),${passing ? unjammed(t) : ''}
ending as (
  select id, keyed, job_uid, namespace, job_id, handler, queue, origin, retry_of, nominal_at, policies, flow_step, flow, blocks, attempt, fence, worker,
    ${at('started_ms')} as started_at, ${at('finished_ms')} as finished_at,
    case when handed and unwanted then 'cancelled' when once then 'lost' else outcome end as outcome,
    unwanted or once or (retry_ms is null and not handed) as ends,
    case when once and not unwanted then '${abandoned.running}' else error end as error, fingerprint, result, true as records,
    attempt - (handed and not unwanted and not once)::int as next_attempt,
    fence + (handed and not unwanted and not once)::int as next_fence, lost_count as next_lost,
    case
      when outcome = 'handed_back' then least(due_at, ${now})
      when outcome = 'opened' then ${at('retry_ms')}
      when outcome = 'snoozed' and signalled then ${now}
      when retry_ms = 'infinity' then null
      else coalesce(${at('retry_ms')}, ${now}) end as retry_at
  from mine where (not blocks and flow is null) or $12::boolean
),
${endings(t)}
select id::text, fence, job_uid::text, final, false as deferred, false as locked, ${flowEndColumn('judged')},
  case when outcome = 'opened' and not final then flow_step::text end as opens, ${toldColumn} from judged
union all
select id::text, fence, job_uid::text, false, true, false, null, null, 0 from mine where (blocks or flow is not null) and not $12::boolean${passing ? locked(t) : ''}`;
}

/** Of what is caught, the runs of which nobody else keeps anything from being written. */
function unjammed(t: TableNames): string {
  return `
${jammed(t, 'true')},
mine as materialized (
  select * from caught where job_uid is null or job_uid not in (select job_uid from jammed)
),`;
}

/** Those that are there, and were not got hold of. One that was settled a moment ago may be among them: another try will tell. */
function locked(t: TableNames): string {
  return `
union all
select r.id::text, r.fence, r.job_uid::text, false, false, true, null, null, 0 from said s join ${t.run} r on r.id = s.id and r.fence = s.fence
where r.worker = $11 and r.started_at is not null and r.id <> all (array(select id from mine))`;
}

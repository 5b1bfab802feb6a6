import { unnest } from './arrays.fragment.js';
import { claimedColumns } from './claimed.run.fragment.js';
import { isOf, isStopped } from './pauses.fragment.js';
import { isAtMostOnce } from './recovery.fragment.js';
import type { TableNames } from './table.names.js';
import { after, at, clock, now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 worker · $3 queues · $4 handlers · $5 room · $6 how far ahead in ms
 * Firings: $7 jobs · $8 nominal times · $9 revisions · $10 next times · $11 last instants dealt with · $12 fired · $13 overlap
 * Births: $14 jobs · $15 nominal times · $16 due · $17 missed
 * Gaps: $18 jobs · $19 from · $20 until · $21 verdicts · $22 counts · $23 reasons
 * $24 app · $25 by when what must not run twice has to be due, if that is later than now (null: it is not)
 *
 * An instant that waits for earlier runs is born blocked, and they are marked: locked, so that a settle of one of them sees the mark. Where one of them is locked by somebody else, or has ended at this very
 * moment, the cursor stays as it is, and another try is due at once: neither this job nor the others of the statement wait for whoever has it. (`unblockSql` has to follow in the same
 * transaction all the same: it lets go of what nothing is in the way of.)
 *
 * Backfilled runs are beside the schedule: they are in nobody's way.
 *
 * The compare-and-set of the cursor decides who fires. A cursor that somebody else has locked is left to them: firers neither wait for
 * one another nor meet in a deadlock. Cursors first, then runs, as everywhere.
 */
export function fireSql(t: TableNames): string {
  return `
with firing as (
  select u.* from ${unnest(['$7::bigint[]', '$8::float8[]', '$9::int[]', '$10::float8[]', '$11::float8[]', '$12::int[]', '$13::text[]'])}
    u (job_uid, nominal_ms, revision, next_ms, until_ms, fired, overlap)
),
standing as materialized (
  select f.*, stands.fired_until from firing f cross join lateral (
    select c.fired_until from ${t.cursor} c
    where c.job_uid = f.job_uid and c.next_at = ${at('f.nominal_ms')} and c.revision = f.revision
      and not ${isStopped(t, 'c')}
      and (f.overlap <> 'wait' or (select count(*) from ${t.run} r where r.job_uid = f.job_uid and r.origin <> 'backfill') = 0)
    for update of c skip locked
  ) stands
  -- Whose cursor comes to its end keeps on its job what has fired; a job that somebody else has locked is left to the next try, as waiting might meet in a deadlock.
  left join lateral (
    select true as locked from ${t.job} j where j.uid = f.job_uid and f.next_ms is null for no key update skip locked
  ) noting on true
  where f.next_ms is not null or noting.locked
),
-- What may have to be marked, cancelled or let go, of the jobs whose instants may wait for it.
in_the_way as materialized (
  select r.id, r.job_uid from ${t.run} r
  where r.job_uid = any (array(select job_uid from standing where overlap in ('queue', 'cancel-running'))) and r.verdict is null
    and r.origin <> 'backfill'
  order by r.id for update of r skip locked
),
counts as materialized (
  select s.job_uid from ${t.job_stat} s
  where s.job_uid = any (array(select job_uid from standing where overlap = 'cancel-running')) order by s.job_uid for update skip locked
),
moved as materialized (
  select s.* from standing s where case
    when s.overlap not in ('queue', 'cancel-running') then true
    when (select count(*) from ${t.run} r where r.job_uid = s.job_uid and r.verdict is null and r.origin <> 'backfill')
      > (select count(*) from in_the_way w where w.job_uid = s.job_uid) then false
    when s.overlap = 'queue' then true
    else (select count(*) from ${t.job_stat} j where j.job_uid = s.job_uid) = (select count(*) from counts c where c.job_uid = s.job_uid)
  end
),
advanced as (
  update ${t.cursor} c set next_at = ${at('m.next_ms')}, fired = m.fired, fired_until = greatest(c.fired_until, ${at('m.until_ms')}),
    -- The release before leaves it out.
    app = coalesce(c.app, (select j.app from ${t.job} j where j.uid = c.job_uid))
  from moved m where c.job_uid = m.job_uid and m.next_ms is not null
),
finished as (
  delete from ${t.cursor} c using moved m where c.job_uid = m.job_uid and m.next_ms is null
),
noted as (
  update ${t.job} j set fired = m.fired, fired_until = greatest(m.fired_until, ${at('m.until_ms')})
  from moved m where j.uid = m.job_uid and m.next_ms is null
),
birth as (
  select b.*, m.overlap, m.fired_until, j.namespace, j.id as job_id, j.app, j.handler, j.queue, j.priority,
    ${isAtMostOnce('j.policies')} as once, met.*
  from ${unnest(['$14::bigint[]', '$15::float8[]', '$16::float8[]', '$17::int[]'])} with ordinality
    b (job_uid, nominal_ms, due_ms, missed, nth)
  join moved m on m.job_uid = b.job_uid
  join ${t.job} j on j.uid = b.job_uid
  -- Not EXISTS: the planner might answer it by a hash of all runs.
  cross join lateral (
    select count(*) filter (where r.origin <> 'backfill') > 0 as active,
      coalesce(bool_or(r.blocked and r.origin <> 'backfill'), false) as queued,
      coalesce(bool_or(r.nominal_at = ${at('b.nominal_ms')} and r.origin in ('schedule', 'backfill')), false) as there
    from ${t.run} r where r.job_uid = b.job_uid
  ) met
),
counted as (
  select *, row_number() over (partition by job_uid order by nth) as nth_of_job, count(*) over (partition by job_uid) as of_job
  from birth where not there and (fired_until is null or fired_until < ${at('nominal_ms')})
),
decided as (
  select *,
    case overlap
      when 'skip' then active or nth_of_job > 1
      when 'queue' then queued or nth_of_job + active::int > 2
      when 'cancel-running' then nth_of_job < of_job
      else false
    end as skipped,
    case overlap
      when 'queue' then active or nth_of_job > 1
      when 'cancel-running' then active
      else false
    end as blocked,
    overlap = 'queue' and not active and of_job > 1 and nth_of_job = 1 as blocks
  from counted
),
blocking as (
  select w.id from in_the_way w where w.job_uid in (select job_uid from decided where blocked and active and not skipped)
),
marked as (
  update ${t.run} r set blocks = true from blocking b where r.id = b.id
),
due as (
  select *, row_number() over (partition by claimable order by nth) as place
  from (
    select *, ${at('due_ms')} <= case when once then greatest(${now}, ${at('$25::float8')}) else ${after(now, '$6::float8')} end and handler = any ($4::text[]) and queue = any ($3::text[]) and ${isOf('decided', '$24::text')} and not blocked as claimable
    from decided where not skipped
  ) d
),
born as (
  insert into ${t.run} (namespace, job_id, keyed, job_uid, origin, handler, queue, priority, nominal_at, due_at,
    held_due_at, blocked, blocks, missed, attempt, fence, worker, parked_by, started_at, app)
  select namespace, job_id, false, job_uid, 'schedule', handler, queue, priority,
    ${at('nominal_ms')}, case when not blocked then ${at('due_ms')} end,
    case when blocked then ${at('due_ms')} end, blocked, blocks, missed,
    claimed::int, claimed::int, case when claimed then $2 end, case when claimed then $2 end, case when claimed then greatest(${at('due_ms')}, ${now}) end, app
  from (
    select *, claimable and place <= $5 and exists (
      select from ${t.worker} where id = $2 and lease_until > ${now} and released_at is null
    ) as claimed
    from due
  ) d order by nth
  returning *
),
gaps as (
  insert into ${t.gap} (job_uid, namespace, job_id, from_at, until_at, verdict, count, reason)
  select g.job_uid, g.namespace, g.job_id, ${at('g.from_ms')}, ${at('g.until_ms')}, g.verdict, g.count, g.reason
  from (
    select u.*, j.namespace, j.id as job_id, 0 as part
    from ${unnest(['$18::bigint[]', '$19::float8[]', '$20::float8[]', '$21::text[]', '$22::int[]', '$23::text[]'])} with ordinality
      u (job_uid, from_ms, until_ms, verdict, count, reason, nth)
    join moved m on m.job_uid = u.job_uid join ${t.job} j on j.uid = u.job_uid
    union all
    select job_uid, nominal_ms, nominal_ms, 'skipped', 1, 'overlap', nth, namespace, job_id, 1 from decided where skipped
  ) g
  order by g.part, g.nth
),
${tellDue(t, 'run', 'select min(due_at) from born where worker is null')}
select (select coalesce(json_agg(job_uid::text), '[]') from moved) as moved,
  (select coalesce(json_agg(claimed order by claimed.id::bigint), '[]') from (
    select ${claimedColumns} from born r join ${t.job} j on j.uid = r.job_uid where r.worker is not null
  ) claimed) as runs,
  (select count(*)::int from born where worker is null) as unclaimed,
  exists (select from born where blocked) as blocked,
  (select coalesce(json_agg(json_build_object('jobUid', job_uid::text, 'nominalAt', nominal_ms::numeric) order by nth), '[]')
    from decided where skipped) as skipped,
  ${toldColumn}, ${clock} as now`;
}

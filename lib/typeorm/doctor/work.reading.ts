import { isOpen } from '../sql/open.fragment.js';
import { isStopped } from '../sql/pauses.fragment.js';
import type { TableNames } from '../sql/table.names.js';
import { at, ms, now } from '../sql/time.fragment.js';
import { isWaiting } from '../sql/waiting.fragment.js';

/** What has a time and is not paused, by what is needed to begin it. */
export interface WorkGroup {
  kind: 'job' | 'run';
  app: string | null;
  handler: string;
  queue: string;
  count: number;
  overdue: number;
  /** ISO text. */
  oldest: string;
  /** `namespace/id` of one of them. */
  example: string;
}

/** A live worker. */
export interface LiveWorker {
  app: string;
  queues: string[];
  handlers: string[];
}

const isAlive = `w.lease_until > ${now} and w.released_at is null`;
const iso = (instant: string): string =>
  `to_char(${instant} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

// $1 time
export function liveWorkersSql(t: TableNames): string {
  return `select w.app, to_json(w.queues) as queues, to_json(w.handlers) as handlers, ${ms(now)} as now from ${t.worker} w where ${isAlive}`;
}

/** $1 time · $2 since when it has to be due to be overdue, in ms · $3 how many groups. Runs that were put off are overdue since their nominal time. */
export function workGroupsSql(t: TableNames): string {
  const since = at('$2::float8');
  return `
select kind, app, handler, queue, count(*)::int as count, (count(*) filter (where due_at < ${since}))::int as overdue, ${iso('min(due_at)')} as oldest, min(example) as example, ${ms(now)} as now
from (
  select 'job' as kind, c.app, c.handler, c.queue, c.next_at as due_at, c.namespace || '/' || j.id as example
  from ${t.cursor} c join ${t.job} j on j.uid = c.job_uid where c.next_at < 'infinity' and not ${isStopped(t, 'c')}
  union all
  select 'run', r.app, r.handler, r.queue, case when r.deferred_until is null then r.due_at else least(r.due_at, r.nominal_at) end, r.namespace || '/' || r.job_id
  from ${t.run} r where ${isWaiting('r')} and not ${isOpen('r')} is true and not ${isStopped(t, 'r')}
) work group by kind, app, handler, queue order by overdue desc, count desc, handler limit $3`;
}

// $1 time · $2 by when its lease has ended, in ms
export function lostWorkersSql(t: TableNames): string {
  return `
select w.id, w.name, w.host, w.pid, w.running, ${iso('w.lease_until')} as "leaseUntil", ${ms(now)} as now
from ${t.worker} w where w.released_at is null and w.running > 0 and w.lease_until < ${at('$2::float8')} order by w.lease_until limit 20`;
}

// $1 time · $2 how many
export function orphansSql(t: TableNames): string {
  return `
select namespace || '/' || id as job, app, ${iso('orphaned_at')} as since, (count(*) over ())::int as count, ${ms(now)} as now
from ${t.job} where orphaned_at is not null and orphaned_reason is distinct from 'superseded' order by orphaned_at, namespace, id limit $2`;
}

export interface StandingPause {
  kind: 'job' | 'handler' | 'queue' | 'namespace' | 'all';
  name: string;
  namespace: string | null;
  reason: string | null;
  by: string | null;
  since: string;
}

// $1 time · $2 since when, in ms · $3 how many. Those that end by themselves are not forgotten.
export function pausesSql(t: TableNames): string {
  const since = at('$2::float8');
  return `
select kind, name, namespace, reason, by, ${iso('paused_at')} as since, ${ms(now)} as now from (
  select kind, name, null as namespace, paused_reason as reason, paused_by as by, paused_at from ${t.pause}
  union all select 'job', id, namespace, paused_reason, paused_by, paused_at from ${t.job} where paused_at is not null
  union all select 'job', job_id, namespace, paused_reason, paused_by, paused_at from ${t.run} where keyed and paused_at is not null and verdict is null
) pause where paused_at < ${since} and not exists (
  select from ${t.pause_end} e
  where e.kind = pause.kind and e.namespace = coalesce(pause.namespace, '') and e.name = pause.name and e.paused_at = pause.paused_at and e.until_at < 'infinity'
) order by paused_at, kind, name limit $3`;
}

// $1 time · $2 since when, in ms · $3 how many. Those that are workflows end with their steps.
export function openRunsSql(t: TableNames): string {
  return `
select r.id::text as run, r.namespace || '/' || r.job_id as job, r.handler, ${iso('r.opened_at')} as since, ${ms(now)} as now
from ${t.run} r where ${isOpen('r')} and r.flow is null and r.due_at is null and r.held_due_at is null and r.opened_at < ${at('$2::float8')}
order by r.opened_at limit $3`;
}

import { jobs, notes } from './chaos.options.js';

/** How long it took after one fault until what it had stopped went on; `limitMs`: null where no limit applies. */
export interface Recovery {
  kind: string;
  ms: number;
  limitMs: number | null;
}

/**
 * After harm to one worker: until the last of the runs it had held went on elsewhere, from the harm, or after a SIGTERM from the moment
 * it gave them back. After an outage: from its end until the first run began. Nothing held, nothing to recover: no row.
 *
 * $1 lease in ms · $2 slack in ms. The limits hold for a worker that died alone: not while the server was restarting as well.
 */
export const recoverySql = `
with hit as (
  select f.*, w.id as worker from ${notes}.fault f
  left join ${jobs}.worker w on w.pid = f.pid and w.started_at < f.at
), taken_up as (
  select f.id, f.kind, f.at, case when a.outcome = 'handed_back' then a.finished_at else f.at end as from_at,
    (select min(n.started_at) from ${jobs}.attempt n where n.run_id = a.run_id and n.fence > a.fence) as next_at
  from hit f join ${jobs}.attempt a on a.worker = f.worker and a.finished_at >= f.at
    and (a.outcome = 'lost' or a.outcome = 'handed_back' and f.kind = 'term')
), recovered as (
  select id, kind, at, max(extract(epoch from next_at - from_at) * 1000) as ms
  from taken_up where next_at is not null group by id, kind, at
  union all
  select f.id, f.kind, f.at, extract(epoch from min(a.started_at) - f.until) * 1000
  from ${notes}.fault f join ${jobs}.attempt a on a.started_at >= f.until
  where f.outage group by f.id, f.kind, f.at
)
select r.kind, round(r.ms)::int as ms,
  case
    when r.kind in ('restart', 'failover', 'failover-lossy', 'crash-unflushed', 'read-only') then 4000 + $2::int
    when exists (select from ${notes}.fault s where (s.outage or s.kind in ('cut', 'silence', 'trickle', 'swallow', 'deliver-late', 'lock-rows', 'role-setting'))
      and s.at < r.at + ($1::int + $2::int) * interval '1 ms' and s.until > r.at - interval '3 s') then null
    when r.kind = 'kill' then $1::int + $2::int
    when r.kind = 'term' then 1000 + greatest($2::int - 1000, 0)
  end::int as "limitMs"
from recovered r order by r.at`;

export interface RecoveryFigure {
  faults: number;
  p50Ms: number;
  maxMs: number;
}

export function recoveryFigures(recoveries: readonly Recovery[]): Record<string, RecoveryFigure> {
  const figures: Record<string, RecoveryFigure> = {};
  for (const kind of [...new Set(recoveries.map((recovery) => recovery.kind))].toSorted()) {
    const times = recoveries
      .filter((recovery) => recovery.kind === kind)
      .map(({ ms }) => ms)
      .toSorted((a, b) => a - b);
    figures[kind] = {
      faults: times.length,
      p50Ms: times[Math.floor((times.length - 1) / 2)]!,
      maxMs: times.at(-1)!,
    };
  }
  return figures;
}

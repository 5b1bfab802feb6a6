import { latenessBucketsMs, type StatisticsUnit } from '../../model/rollup.js';
import { outside } from '../../ports/outside.js';
import type { TableNames } from './table.names.js';
import { at, ms } from './time.fragment.js';

const key = 'start_at, namespace, queue, handler, verdict';
const counts = ['runs', 'attempts', 'duration_ms', 'longest_ms', 'lateness'] as const;

/**
 * $1 time · $2 from · $3 until
 *
 * Puts what is counted anew in place of what was there. What comes to the same is not written, so what is counted again and again costs its reading only.
 */
export function rollUpSql(t: TableNames, unit: StatisticsUnit): string {
  const table = tableOf(t, unit);
  const within = `start_at >= ${at('$2::float8')} and start_at < ${at('$3::float8')}`;
  return `
with fresh as materialized (${unit === 'minute' ? ofLedger(t) : ofSmaller(t, unit)}),
gone as (
  delete from ${table} s where ${within}
    and not exists (select from fresh f where (${named('f')}) = (${named('s')}))
)
insert into ${table} as s (${key}, ${counts.join(', ')})
select ${key}, ${counts.join(', ')} from fresh order by ${key}
on conflict (${key}) do update set ${counts.map((count) => `${count} = excluded.${count}`).join(', ')}
where (${counts.map((count) => `s.${count}`).join(', ')}) is distinct from (${counts.map((count) => `excluded.${count}`).join(', ')})
returning $1::numeric as now`;
}

export function tableOf(t: TableNames, unit: StatisticsUnit): string {
  return { minute: t.stat_minute, hour: t.stat_hour, day: t.stat_day }[unit];
}

function named(alias: string): string {
  return key
    .split(', ')
    .map((column) => `${alias}.${column}`)
    .join(', ');
}

/** The attempts that ended in the time. The first claim of a run says how late it began; its verdict from outside is no further one. */
function ofLedger(t: TableNames): string {
  const most = latenessBucketsMs.length;
  const buckets = Array.from({ length: most + 1 }, (_, bucket) => {
    const above = bucket === 0 ? [] : [`late_ms > ${latenessBucketsMs[bucket - 1]}`];
    const upTo = bucket === most ? [] : [`late_ms <= ${latenessBucketsMs[bucket]}`];
    return `count(*) filter (where ${[...above, ...upTo].join(' and ')})`;
  });
  return `
  select start_at, namespace, queue, handler, verdict, count(*) filter (where final) as runs, count(*) as attempts,
    coalesce(sum(spent_ms), 0)::bigint as duration_ms, coalesce(max(spent_ms), 0) as longest_ms,
    array[${buckets.join(', ')}] as lateness
  from (
    select date_trunc('minute', finished_at, 'UTC') as start_at, namespace, queue, handler, outcome as verdict, final,
      greatest(floor(${ms('finished_at - started_at')} + 0.001)::bigint, 0) as spent_ms,
      case when fence = 1 and not (final and worker is not distinct from '${outside}') and origin not in ('retry', 'backfill')
        then ${ms('started_at - nominal_at')} end as late_ms
    from ${t.attempt} where finished_at >= ${at('$2::float8')} and finished_at < ${at('$3::float8')}
  ) a
  group by 1, 2, 3, 4, 5`;
}

function ofSmaller(t: TableNames, unit: 'hour' | 'day'): string {
  const table = tableOf(t, unit === 'hour' ? 'minute' : 'hour');
  const buckets = Array.from(
    { length: latenessBucketsMs.length + 1 },
    (_, n) => `sum(lateness[${n + 1}])::bigint`,
  );
  return `
  select date_trunc('${unit}', start_at, 'UTC') as start_at, namespace, queue, handler, verdict, sum(runs)::bigint as runs,
    sum(attempts)::bigint as attempts, sum(duration_ms)::bigint as duration_ms, max(longest_ms) as longest_ms,
    array[${buckets.join(', ')}] as lateness
  from ${table} where start_at >= ${at('$2::float8')} and start_at < ${at('$3::float8')}
  group by 1, 2, 3, 4, 5`;
}

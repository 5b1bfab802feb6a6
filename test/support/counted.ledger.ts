import type pg from 'pg';
import type { StatisticsUnit } from '../../lib/model/rollup.js';

/** Writes attempts as settlements would have written them, some of them long after their end. */
export async function writeAttempts(
  client: pg.Client,
  schema: string,
  count: number,
  from: string,
  until: string,
): Promise<void> {
  await client.query(
    `insert into "${schema}".attempt (run_id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence, outcome, final, started_at, finished_at)
     select n, 'ns-' || n % 3, 'job', 'handler-' || (random() * 4)::int, 'default', (array['at', 'schedule', 'retry'])[1 + n % 3],
       date_trunc('milliseconds', at - random() * interval '1 hour'), 1, 1 + n % 2, (array['succeeded', 'failed', 'lost'])[1 + (random() * 2)::int], random() < 0.7,
       case when random() < 0.9 then date_trunc('milliseconds', at - random() * interval '1 minute') end, at
     from (select n, date_trunc('milliseconds', (${from}) + random() * ((${until}) - (${from}))) as at from generate_series(1, $1::int) n) t`,
    [count],
  );
}

/** Where the table of a unit is not what the ledger comes to, counted by another way than it was made. */
export async function differingRollups(
  client: pg.Client,
  schema: string,
  unit: StatisticsUnit,
): Promise<unknown[]> {
  const seconds = { minute: 60, hour: 3_600, day: 86_400 }[unit];
  const { rows } = await client.query(
    `with counted as (
       select to_timestamp(floor(extract(epoch from finished_at) / ${seconds}) * ${seconds}) as start_at, namespace, queue, handler, outcome as verdict,
         sum(final::int) as runs, count(*) as attempts,
         sum(coalesce(floor(extract(epoch from finished_at - started_at) * 1000), 0)) as duration_ms,
         max(coalesce(floor(extract(epoch from finished_at - started_at) * 1000), 0)) as longest_ms,
         sum((fence = 1 and origin <> 'retry' and started_at is not null)::int) as begun
       from "${schema}".attempt where finished_at < (select to_timestamp((value::json ->> 'until')::float8 / 1000) from "${schema}".meta where key = 'statistics')
       group by 1, 2, 3, 4, 5
     ),
     stored as (
       select start_at, namespace, queue, handler, verdict, runs, attempts, duration_ms, longest_ms, (select sum(c) from unnest(lateness) c) as begun
       from "${schema}".stat_${unit}
     )
     (select 'missing' as what, * from counted except select 'missing', * from stored)
     union all (select 'wrong', * from stored except select 'wrong', * from counted)`,
  );
  return rows;
}

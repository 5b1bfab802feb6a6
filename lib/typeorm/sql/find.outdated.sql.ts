import { unnest } from './arrays.fragment.js';
import { isOfNoRun } from './forget.run.progress.sql.js';
import { isOldAudit } from './old.audit.fragment.js';
import { ledgerPartitions } from './ledger.partitions.fragment.js';
import type { TableNames } from './table.names.js';
import { after, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 how long attempts are kept, in ms · $3 verdicts of gaps · $4 how long each is kept · $5 how long signals are · $6 how long the history is · $7 how long programs stay that nobody uses · $8 before when who has asked for something is forgotten; null: never · $9 how long changes of many are
 *
 * Which of the statements that forget have something to do: most of the time none has. Not EXISTS where there is an order: the planner would leave that out,
 * and might read the whole table.
 */
export function findOutdatedSql(t: TableNames): string {
  return `
select ${ms(now)} as now,
  (select coalesce(json_agg(p.name), '[]') from (${ledgerPartitions(t)}) p) as partitions,
  (select coalesce(json_agg(p.name), '[]') from (${ledgerPartitions(t)}) p where p.bare) as bare,
  (select finished_at from ${t.attempt} where finished_at < ${after(now, '-$2::float8')} order by finished_at limit 1) is not null as attempts,
  exists (
    select from ${unnest(['$3::text[]', '$4::float8[]'])} k (verdict, kept_ms) cross join lateral (
      select id from ${t.gap} where verdict = k.verdict and until_at < ${after(now, '-k.kept_ms')} order by until_at limit 1
    ) g
  ) as gaps,
  (select keep_until from ${t.run} where keep_until <= ${now} order by keep_until limit 1) is not null as jobs,
  (select dead_of from ${t.run} where dead_of is not null order by dead_of limit 1) is not null as dead_letters,
  (select run_id from ${t.run_step} where coalesce(finished_at, started_at) < ${after(now, '-$2::float8')} order by coalesce(finished_at, started_at) limit 1) is not null as steps,
  (select ended_at from ${t.flow} where ended_at < ${after(now, '-$2::float8')} order by ended_at limit 1) is not null as flows,
  (select sent_at from ${t.run_signal} where sent_at < ${after(now, '-$5::float8')} order by sent_at limit 1) is not null as signals,
  (select deleted_at from ${t.definition} where deleted_at < ${after(now, '-$2::float8')} order by deleted_at limit 1) is not null as definitions,
  (select used_at from ${t.binary} where used_at < ${after(now, '-$7::float8')} order by used_at limit 1) is not null as binaries,
  (select archived_at from ${t.flow_history} where archived_at < ${after(now, '-$6::float8')} order by archived_at limit 1) is not null as flow_history,
  (select archived_at from ${t.definition_history} where archived_at < ${after(now, '-$6::float8')} order by archived_at limit 1) is not null as definition_history,
  (select at from ${t.audit} where ${isOldAudit('$8::float8')} order by at limit 1) is not null as audit,
  (select at from ${t.run_log} where at < ${after(now, '-$2::float8')} order by at limit 1) is not null as run_logs,
  (select created_at from ${t.bulk_action} where created_at < ${after(now, '-$9::float8')} order by created_at limit 1) is not null as bulk_actions,
  exists (select from ${t.run_progress} g where ${isOfNoRun(t)}) as run_progress,
  exists (
    select from ${t.worker} where lease_until < ${after(now, '-$2::float8')} and released_at is not null
  ) as workers`;
}

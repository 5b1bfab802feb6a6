import { firstBackfilled } from './backfill.queue.fragment.js';
import type { TableNames } from './table.names.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 jobs
 *
 * Runs that waited for the end of others which are over. Backfilled ones wait for those before them only, and nothing else waits for them. Needs a snapshot of its own, taken when the runs that have ended (or may be
 * ending) are locked: so it is a statement after the one that locked them, in the same transaction. Of two runs that end at the same moment the later one lets go of what waits for both: they take turns at the
 * row of the job's statistics, which `endings` writes for every final end.
 */
export function unblockSql(t: TableNames): string {
  return `
with free as materialized (
  ${firstBackfilled(t, '(select unnest($2::bigint[]) as job_uid)')}
  union all
  select r.id, r.job_uid from ${t.run} r
  where r.job_uid = any ($2::bigint[]) and r.blocked and r.origin <> 'backfill'
    -- Not EXISTS: the planner might answer it by a hash of all runs.
    and (
      select count(*) from ${t.run} e
      where e.job_uid = r.job_uid and e.blocks and e.verdict is null and e.origin <> 'backfill'
    ) = 0
),
freed as (
  update ${t.run} r set blocked = false,
    due_at = case when not r.held then r.held_due_at end, held_due_at = case when r.held then r.held_due_at end
  where r.id = any (array(select id from free)) and r.blocked
  returning r.due_at
),
${tellDue(t, 'run', 'select min(due_at) from freed')}
select ${toldColumn}`;
}

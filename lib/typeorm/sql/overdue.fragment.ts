import { isStopped } from './pauses.fragment.js';
import type { TableNames } from './table.names.js';
import { after, now } from './time.fragment.js';

/**
 * Whether a job `j` says how late it may begin: in the words of the index that has those few. PostgreSQL takes an equality without statistics for rare, and "is not null" for true of all, which would be a look at every job.
 */
const isWatched = `json_typeof(j.policies->'lateAfterMs') = 'number'`;

/**
 * Two CTEs: `watched`, the jobs that say it, and `late`, those with the earliest instant of each that was not begun in time, by the indexes of cursors and runs of these jobs alone.
 */
export function overdueJobs(t: TableNames): string {
  return `
watched as materialized (
  select j.uid, j.namespace, j.id, j.handler, j.queue, j.paused_at, (j.policies->>'lateAfterMs')::float8 as late_after_ms
  from ${t.job} j where ${isWatched}
),
late as materialized (
  select d.namespace, d.id as job_id, d.due_at, d.late_after_ms
  from (
    select w.*, least(
      (select c.next_at from ${t.cursor} c where c.job_uid = w.uid),
      (select min(r.nominal_at) from ${t.run} r
        where r.job_uid = w.uid and r.origin = 'schedule' and r.verdict is null and r.attempt = 0 and r.opened_at is null and not r.held)
    ) as due_at
    from watched w where w.paused_at is null
  ) d
  where d.due_at < ${after(now, '-d.late_after_ms')} and not ${isStopped(t, 'd')}
)`;
}

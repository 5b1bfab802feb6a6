import type { TableNames } from './table.names.js';

/** When the pause of its own ends that this row of jobs or runs has; `id`: its column for the id of the job. Null: it has none, or is not paused; infinity: it has none, and somebody was told of it. */
export function pauseEndOf(t: TableNames, row: string, id: string): string {
  return `case when ${row}.paused_at is not null then (
    select e.until_at from ${t.pause_end} e
    where e.kind = 'job' and e.namespace = ${row}.namespace and e.name = ${row}.${id} and e.paused_at = ${row}.paused_at
  ) end`;
}

/** Whether a worker of the app may end this pause: of jobs, those of other apps may go by calendars that it lacks. One look at the index for each end, as an anti join would read all jobs. */
export function mayBeEndedBy(t: TableNames, end: string, app: string): string {
  return `(${end}.kind <> 'job' or coalesce((
    select j.app from ${t.job} j where j.namespace = ${end}.namespace and j.id = ${end}.name
  ) = ${app}, true))`;
}

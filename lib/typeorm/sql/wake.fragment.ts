import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * One that is refused for want of room fails what it is part of, at its commit; before the queue is full none is sent. To ask also lets the server clear what everybody has read,
 * which it does for no one while the queue is full.
 */
export const roomInQueue = 'pg_notification_queue_usage() < 0.9';

/** Tells others, if there is room; `what`: SQL. */
export function notify(t: TableNames, what: string, condition?: string): string {
  const when = condition === undefined ? roomInQueue : `${condition} and ${roomInQueue}`;
  return `case when ${when} then pg_notify('${t.channel}', ${what})::text end`;
}

/** Due later than this, nobody needs to be told: everybody polls before then. */
const horizon = `interval '60 seconds'`;

/**
 * A CTE `told` that tells others when something is due, at most once for the whole statement. `instant`: a scalar query; `what`: of what it is the time, `due`: either. It only happens
 * if the statement reads `told`, in a row that comes out: see `toldColumn`.
 */
export function tellDue(t: TableNames, what: 'run' | 'cursor' | 'due', instant: string): string {
  // The time is a parameter of every statement, and one that none of it mentions is an error.
  if (t.channel === null) return `told as (select ${now})`;
  return `
told as (
  select ${notify(t, `'${what} ' || ${ms('soon.at')}::bigint`)}
  from (select (${instant}) as at) soon where soon.at <= ${now} + ${horizon}
)`;
}

export const toldColumn = '(select count(*) from told) as told';

/** A column that tells others to look again: `, told`. */
export function tellChange(t: TableNames): string {
  return t.channel === null ? '' : `, ${notify(t, `'change'`)} as told`;
}

/** A column that tells others to look again where this run is claimed, but not due yet: its worker waits to begin it, and may have to give it back. */
export function tellAhead(t: TableNames, run: string): string {
  if (t.channel === null) return '';
  return `, ${notify(t, `'change'`, `${run}.worker is not null and ${run}.started_at > ${now}`)} as told`;
}

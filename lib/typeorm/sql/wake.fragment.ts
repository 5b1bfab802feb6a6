import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

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
  select pg_notify('${t.channel}', '${what} ' || ${ms('soon.at')}::bigint)
  from (select (${instant}) as at) soon where soon.at <= ${now} + ${horizon}
)`;
}

export const toldColumn = '(select count(*) from told) as told';

/** A column that tells others to look again: `, told`. */
export function tellChange(t: TableNames): string {
  return t.channel === null ? '' : `, pg_notify('${t.channel}', 'change')::text as told`;
}

/** A column that tells others to look again where this run is claimed, but not due yet: its worker waits to begin it, and may have to give it back. */
export function tellAhead(t: TableNames, run: string): string {
  if (t.channel === null) return '';
  return `, case when ${run}.worker is not null and ${run}.started_at > ${now} then pg_notify('${t.channel}', 'change')::text end as told`;
}

import { jobViews } from './job.view.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · the rest as `where` says
export function countJobsSql(t: TableNames, where: string): string {
  const { recurring, oneOff } = jobViews(t);
  return `
select ${ms(now)} as now,
  (select count(*) from (${recurring}) v where ${where})::numeric
  + (select count(*) from (${oneOff}) v where ${where})::numeric as count`;
}

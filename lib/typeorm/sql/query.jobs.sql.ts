import { jobViews } from './job.view.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 limit · the rest as `where` says. Each kind is cut at the limit by itself, so that both are read in the order of an index.
export function queryJobsSql(t: TableNames, where: string): string {
  return pageSql(t, '*', where);
}

/** The same without what is in them, which may be large. */
export function queryRefsSql(t: TableNames, where: string): string {
  return pageSql(t, 'v.namespace, v.id', where);
}

function pageSql(t: TableNames, columns: string, where: string): string {
  const { recurring, oneOff } = jobViews(t);
  const cut = `where ${where} order by v.namespace, v.id limit $2::bigint`;
  return `
select found.*, ${ms(now)} as now from (
  (select ${columns} from (${recurring}) v ${cut})
  union all
  (select ${columns} from (${oneOff}) v ${cut})
) found order by found.namespace, found.id limit $2::bigint`;
}

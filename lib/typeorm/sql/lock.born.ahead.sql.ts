import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

/** $1 time · $2 job · $3 the time that it is, in ms. Its runs that were born by a clock that was ahead and have never begun, locked. */
export function lockBornAheadSql(t: TableNames): string {
  return `
select id::text, false as running, ${ms(now)} as now from ${t.run}
where job_uid = $2::bigint and verdict is null and worker is null and attempt = 0 and origin = 'schedule' and nominal_at > ${at('$3::float8')}
order by id for update`;
}

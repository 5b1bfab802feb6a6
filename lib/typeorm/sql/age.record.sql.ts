import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/** $1 time · $2 by how much it may have aged, in ms. Up to when the record is looked through: it does not follow a clock that leaps. */
export function ageRecordSql(t: TableNames): string {
  return `
insert into ${t.meta} as m (key, value) values ('record_as_of', (${ms(now)})::text)
on conflict (key) do update set value = least(excluded.value::float8, m.value::float8 + $2::float8)::text
returning value::float8 as as_of, ${ms(now)} as now`;
}

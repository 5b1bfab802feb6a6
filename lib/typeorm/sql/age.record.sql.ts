import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/** $1 time · $2 by how much it may have aged, in ms. Up to when the record is looked through: it does not follow a clock that leaps. */
export function ageRecordSql(t: TableNames): string {
  return `
insert into ${t.meta} as m (key, value) values ('record_as_of', (${ms(now)})::bigint::text)
on conflict (key) do update set value = least(excluded.value::numeric, m.value::numeric + $2::numeric)::text
returning value::numeric as as_of, ${ms(now)} as now`;
}

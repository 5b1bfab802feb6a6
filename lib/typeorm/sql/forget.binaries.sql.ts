import { forgotten } from './forgotten.fragment.js';
import type { TableNames } from './table.names.js';
import { at, now } from './time.fragment.js';

/**
 * $1 time · $2 horizon in ms · $3 limit · $4 programs to pass over · $5 really
 *
 * Of the programs that were not used since then, the longest first: those that something refers to count as used now, the others go. All that may refer is read once for all of them, and each of them comes here no more than once a day.
 */
export function forgetBinariesSql(t: TableNames): string {
  const ofTask = (table: string): string =>
    `select payload ->> 'sha256' as sha256 from ${table} where handler like 'task:%' and payload is not null`;
  return `
with unused as materialized (
  select sha256 as key from ${t.binary} where used_at < ${at('$2::float8')} and sha256 <> all ($4::text[])
  order by used_at, sha256 limit $3
  for update skip locked
),
named as materialized (
  select u.key from unused u where u.key in (${[t.job, t.run, t.flow_step].map(ofTask).join(' union all ')})
    or exists (select from ${t.job} j where j.changed is not null and strpos(j.changed::text, u.key) > 0)
    or exists (select from ${t.definition} d where strpos(d.spec::text, u.key) > 0)
),
kept as (
  update ${t.binary} set used_at = ${now} where $5::boolean and sha256 = any (array(select key from named))
),
old as materialized (
  select key from unused where key not in (select key from named)
),
gone as (
  delete from ${t.binary} where $5::boolean and sha256 = any (array(select key from old)) returning sha256
)${forgotten('$5')}`;
}

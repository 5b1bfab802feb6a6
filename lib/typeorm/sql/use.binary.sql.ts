import type { TableNames } from './table.names.js';
import { after, ms, now } from './time.fragment.js';

const about = (alias: string): string =>
  `${alias}.sha256, ${alias}.size, ${ms(`${alias}.stored_at`)} as stored_ms, ${ms(`${alias}.used_at`)} as used_ms`;

/**
 * $1 time · $2 sha256 · $3 how old `used_at` may be, in ms · $4 with the bytes, in base64
 *
 * Nothing is written where it is young enough: many may use it at once.
 */
export function useBinarySql(t: TableNames): string {
  const bytes = (alias: string): string =>
    `case when $4::boolean then translate(encode(${alias}.bytes, 'base64'), E'\\n', '') end as base64`;
  return `
with touched as (
  update ${t.binary} b set used_at = ${now} where b.sha256 = $2 and b.used_at < ${after(now, '-$3::float8')}
  returning ${about('b')}, ${bytes('b')}
)
select * from touched
union all
select ${about('b')}, ${bytes('b')} from ${t.binary} b where b.sha256 = $2 and b.used_at >= ${after(now, '-$3::float8')}`;
}

/** $1 time · $2 sha256 · $3 the bytes, in base64 */
export function putBinarySql(t: TableNames): string {
  return `
with given as materialized (select decode($3, 'base64') as bytes)
insert into ${t.binary} as b (sha256, size, stored_at, used_at, bytes)
select $2, length(bytes), ${now}, ${now}, bytes from given
on conflict (sha256) do update set used_at = ${now}
returning ${about('b')}`;
}

import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';

/** Which sets live workers of an app carry, in one text. `and`: a generation that counts as carried. Scalar queries. */
export function signatureOf(t: TableNames, app: string, and?: string): string {
  return `(
    select string_agg(s.generation || ':' || coalesce(s.place, 0), ',' order by s.generation) from ${t.release} s
    where s.app = ${app} and (s.generation in (
      select l.generation from ${t.worker} l where l.app = ${app} and l.lease_until > ${now} and l.released_at is null
    )${and === undefined ? '' : ` or s.generation = ${and}`})
  )`;
}

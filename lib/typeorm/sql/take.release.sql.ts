import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 app · $3 hash of the set · $4 declared. Generations count in the order in which their sets were first seen.
export function takeReleaseSql(t: TableNames): string {
  return `
insert into ${t.release} (app, set_hash, declared, first_seen) values ($2, $3, $4, ${now})
on conflict (app, set_hash) do update set declared = excluded.declared
returning generation, ${ms(now)} as now`;
}

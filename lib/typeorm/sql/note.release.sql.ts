import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 app · $3 hash of the set · $4 ids that it declares, for the release before · $5 declarations · $6 place
export function noteReleaseSql(t: TableNames): string {
  return `
insert into ${t.release} (app, set_hash, declared, first_seen, declarations, place) values ($2, $3, $4, ${now}, $5::json, $6::bigint)
on conflict (app, set_hash) do update set declared = excluded.declared, declarations = excluded.declarations, place = excluded.place,
  synced_beside = null
returning generation, ${ms(now)} as now`;
}

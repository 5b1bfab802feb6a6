import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 app · $3 hash of the set. Null: it was never synced.
export function knownReleaseSql(t: TableNames): string {
  return `
select (select r.generation from ${t.release} r where r.app = $2 and r.set_hash = $3) as generation, ${ms(now)} as now`;
}

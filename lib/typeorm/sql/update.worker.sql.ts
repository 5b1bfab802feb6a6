import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';

// $1 time · $2 worker · $3 handlers · $4 generation
export function updateWorkerSql(t: TableNames): string {
  return `
update ${t.worker} set handlers = $3, generation = $4
where id = $2 and lease_until > ${now} and released_at is null`;
}

import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 worker · $3 generation
export function noteGenerationSql(t: TableNames): string {
  return `update ${t.worker} set generation = $3 where id = $2 returning ${ms(now)} as now`;
}

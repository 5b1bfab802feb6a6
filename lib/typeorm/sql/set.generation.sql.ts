import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 job · $3 generation that declares it
export function setGenerationSql(t: TableNames): string {
  return `update ${t.job} set generation = $3 where uid = $2 returning ${ms(now)} as now`;
}

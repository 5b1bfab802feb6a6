import { runStepColumns } from './run.step.fragment.js';
import type { TableNames } from './table.names.js';

/** $1 time · $2 run */
export function queryRunStepsSql(t: TableNames): string {
  return `
select ${runStepColumns}
-- The time is a parameter of every statement, and one that none of it mentions is an error.
from ${t.run_step} s, (select $1::float8) time where s.run_id = $2::bigint order by s.name`;
}

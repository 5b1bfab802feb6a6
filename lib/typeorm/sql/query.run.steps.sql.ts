import { runStepColumns } from './run.step.fragment.js';
import type { TableNames } from './table.names.js';

/** So many rows of a page at most. */
export const mostStepsOfPage = 32;
/** So many bytes of results at most, as they are stored; one result is always there. */
const mostOfPage = 8 * 1_048_576;

/**
 * $1 time · $2 run · $3 the name after which the page begins; null: the first page
 *
 * By pages, as all results of a run at once may be more than can be read before a deadline. `found`: how many steps there are from here on, as far as was looked: the page is the last one if it has as many.
 */
export function queryRunStepsSql(t: TableNames): string {
  return `
with page as (
  -- The time is a parameter of every statement, and one that none of it mentions is an error.
  select s.* from ${t.run_step} s, (select $1::float8) time where s.run_id = $2::bigint and ($3::text is null or s.name > $3) order by s.name limit ${mostStepsOfPage + 1}
),
sized as (
  select p.*, row_number() over (order by p.name) as nth, sum(coalesce(pg_column_size(p.result), 0)) over (order by p.name) as bytes, count(*) over () as found from page p
)
select ${runStepColumns}, s.found::int as found
from sized s where s.nth = 1 or (s.nth <= ${mostStepsOfPage} and s.bytes <= ${mostOfPage}) order by s.name`;
}

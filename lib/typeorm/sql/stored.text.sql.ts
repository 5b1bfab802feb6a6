import { jobViews } from './job.view.fragment.js';
import type { TableNames } from './table.names.js';

// The time is a parameter of every statement, and one that none of it mentions is an error.
const time = '(select $1::float8) time';

/** $1 time · $2 namespace · $3 id */
export function jobTextSql(t: TableNames): string {
  const { recurring, oneOff } = jobViews(t);
  const text = (view: string): string =>
    `select v.revision, v.payload::text as payload, v.metadata::text as metadata from (${view}) v, ${time} where v.namespace = $2::text and v.id = $3::text`;
  return `${text(recurring)} union all ${text(oneOff)} limit 1`;
}

/** $1 time · $2 run · $3 limit */
export function resultTextSql(t: TableNames): string {
  return `
select a.fence, a.final, a.result::text as result from (
  select v.* from ${t.attempt} v where v.run_id = $2::bigint
  order by v.finished_at desc, v.run_id desc, v.fence desc, v.final desc limit $3::bigint
) a, ${time} where a.result is not null`;
}

/** $1 time · $2 run · $3 the name after which the page begins; null: the first page · $4 limit */
export function stepTextSql(t: TableNames): string {
  return `
select s.name, s.result::text as result from ${t.run_step} s, ${time}
where s.run_id = $2::bigint and ($3::text is null or s.name > $3) and s.result is not null
order by s.name limit $4::bigint`;
}

/** $1 time · $2 run */
export function paramsTextSql(t: TableNames): string {
  return `select f.params::text as params from ${t.flow} f, ${time} where f.run_id = $2::bigint`;
}

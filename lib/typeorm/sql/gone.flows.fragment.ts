import type { TableNames } from './table.names.js';

/** CTEs after one `old (key)` of flows, whose `gone (id)` are those that went, with their steps and edges, if `really`. What they were steps of, or what was a step of them, is left alone. */
export function goneFlows(t: TableNames, really = 'true'): string {
  const old = `any (array(select key from old where ${really}::boolean))`;
  return `
gone as (
  delete from ${t.flow} f where f.id = ${old} returning f.id
),
parted as (
  update ${t.flow} f set parent = null where f.parent = ${old} and f.id not in (select key from old)
),
steps as (
  delete from ${t.flow_step} s where s.flow = ${old} returning s.id
),
edges as (
  delete from ${t.flow_edge} e where e.parent = any (array(select id from steps))
)`;
}

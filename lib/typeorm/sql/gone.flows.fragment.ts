import { archiving } from './history.fragment.js';
import type { TableNames } from './table.names.js';

/**
 * CTEs after one `old (key)` of flows, whose `gone` are those that went, with their steps and edges, if `really`; into the history, if `archived`. What they were steps of, or what was a step of them, is left alone. Both are parameters; without the second there is no
 * history of them.
 */
export function goneFlows(t: TableNames, really = 'true', archived: string | null = null): string {
  const old = `any (array(select key from old where ${really}::boolean))`;
  const [all, history] =
    archived === null
      ? ['id', '']
      : [
          '*',
          `,${archiving(t, 'flow', 'gone', archived)},${archiving(t, 'flow_step', 'steps', archived)},${archiving(t, 'flow_edge', 'edges', archived)}`,
        ];
  const ofEdges = archived === null ? '' : ' returning e.*';
  return `
gone as (
  delete from ${t.flow} f where f.id = ${old} returning f.${all}
),
parted as (
  update ${t.flow} f set parent = null where f.parent = ${old} and f.id not in (select key from old)
),
steps as (
  delete from ${t.flow_step} s where s.flow = ${old} returning s.${all}
),
edges as (
  delete from ${t.flow_edge} e where e.parent = any (array(select id from steps))${ofEdges}
)${history}`;
}

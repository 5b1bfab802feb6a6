import { columnsOf } from './comments.sql.js';
import type { TableName, TableNames } from './table.names.js';
import { now } from './time.fragment.js';

/** Tables whose rows go into another one when they are pruned: `…_history`, with the same columns and `archived_at`. */
export const historical = [
  'definition',
  'flow',
  'flow_step',
  'flow_edge',
] as const satisfies readonly TableName[];

type Historical = (typeof historical)[number];

/** A CTE that puts the rows of `from`, which are those of the table, into its history, if `archived`: a parameter. */
export function archiving(t: TableNames, table: Historical, from: string, archived: string): string {
  const columns = columnsOf(table).join(', ');
  return `
${from}_archived as (
  insert into ${t[`${table}_history`]} (${columns}, archived_at) select ${columns}, ${now} from ${from} where ${archived}::boolean
)`;
}

/** Nothing of them is ever updated; they are found by what they belong to, and by their age. */
export function historyTables(t: TableNames): string[] {
  return [
    ...historical.map((table) => {
      const key = table === 'flow_edge' ? 'parent, child' : 'id';
      return `create table ${t[`${table}_history`]} (like ${t[table]}, archived_at timestamptz not null, primary key (${key}))`;
    }),
    `create index ${t.index('definition_history_time')} on ${t.definition_history} (archived_at)`,
    `create index ${t.index('definition_history_name')} on ${t.definition_history} (namespace, name, version)`,
    `create index ${t.index('flow_history_time')} on ${t.flow_history} (archived_at)`,
    `create index ${t.index('flow_history_run')} on ${t.flow_history} (run_id)`,
    `create index ${t.index('flow_history_workflow')} on ${t.flow_history} (namespace, workflow, run_id)`,
    `create index ${t.index('flow_step_history_flow')} on ${t.flow_step_history} (flow)`,
    `create index ${t.index('flow_edge_history_child')} on ${t.flow_edge_history} (child)`,
  ];
}

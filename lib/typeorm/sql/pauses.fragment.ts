import type { TableNames } from './table.names.js';

/**
 * A CTE `reach` of one row: what a worker may take at present, out of its queues and handlers, and which namespaces are `closed`. Arrays, so that each is found once for a statement.
 */
export function reach(t: TableNames, queues: string, handlers: string): string {
  const open = (kind: string, given: string): string => `array(
    select u.name from unnest(${given}::text[]) u (name)
    where not exists (select from ${t.pause} p where p.kind = 'all' or (p.kind = '${kind}' and p.name = u.name))
  )`;
  return `
reach as materialized (
  select ${open('queue', queues)} as queues, ${open('handler', handlers)} as handlers,
    array(select p.name from ${t.pause} p where p.kind = 'namespace') as closed
)`;
}

export const openQueues = '(select queues from reach)::text[]';
export const openHandlers = '(select handlers from reach)::text[]';
const closedNamespaces = '(select closed from reach)::text[]';

/** Whether a run or a cursor is that of the app, or of none: names of handlers are those of an app. */
export function isOf(row: string, app: string): string {
  return `(${row}.app is null or ${row}.app = ${app})`;
}

/**
 * Whether a run of the app has an open handler, or a cursor an open queue, in an open namespace. In a CASE, as the planner knows nothing of the arrays: it
 * would take the condition for one that is hardly ever met, and rather sort all that is due than read it in its order.
 */
export function isReachable(row: string, column: 'handler' | 'queue', app: string): string {
  const open = column === 'handler' ? openHandlers : openQueues;
  return `case when ${row}.${column} = any (${open}) and ${row}.namespace <> all (${closedNamespaces}) and ${isOf(row, app)} then true else false end`;
}

/** Whether a pause of some scope stops what this row, a cursor or a run, stands for. */
export function isStopped(t: TableNames, row: string, but = 'false'): string {
  return `exists (
    select from ${t.pause} p where not (${but}) and (
      p.kind = 'all'
      or (p.kind = 'handler' and p.name = ${row}.handler)
      or (p.kind = 'queue' and p.name = ${row}.queue)
      or (p.kind = 'namespace' and p.name = ${row}.namespace)
    )
  )`;
}

import { isTimedFlow } from './open.fragment.js';
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
  return `case when ${isWithin(row, column, open, app)} then true else false end`;
}

/** The same of a run that waits, or of the deadline of a workflow, which a pause of its handler does not stop. `handlers`: those of the worker. What is within reach costs nothing more. */
export function isRunReachable(row: string, handlers: string, app: string): string {
  const open = isWithin(row, 'handler', openHandlers, app);
  return `case when ${open} then true when ${isTimedFlow(row)} and ${isWithin(row, 'handler', `${handlers}::text[]`, app)} then true else false end`;
}

function isWithin(row: string, column: string, open: string, app: string): string {
  return `${row}.${column} = any (${open}) and ${row}.namespace <> all (${closedNamespaces}) and ${isOf(row, app)}`;
}

/**
 * Which kind of pause of some scope stops this row of jobs or runs, of several the narrowest; null: none. As in lib/model/pause.ts, which is the rule. The pauses are read once for a statement,
 * as there may be a million rows.
 */
export function stopping(t: TableNames, row: string): string {
  const kinds = (['handler', 'queue', 'namespace'] as const).map(
    (kind) =>
      `when ${row}.${kind} = any (array(select p.name from ${t.pause} p where p.kind = '${kind}')) then '${kind}'`,
  );
  return `case ${kinds.join(' ')} when exists (select from ${t.pause} p where p.kind = 'all') then 'all' end`;
}

/** A condition with a `?`: whether there is a pause of one of these kinds. */
export function anyPause(t: TableNames): string {
  return `exists (select from ${t.pause} p where p.kind = any (?::text[]))`;
}

/** The pauses of scopes as a column `pauses` of pairs, kind and name; null: there are none. */
export function pausesColumn(t: TableNames): string {
  return `(select json_agg(json_build_array(p.kind, p.name)) from ${t.pause} p) as pauses`;
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

import type { Capability } from '../ports/storage.adapter.js';
import type { Reach } from './due.index.js';
import { isTimedFlow } from './flow.rows.js';
import type { MemoryTables, RunRow } from './tables.js';

/** Workflows that wait for their deadlines, and whose handler is paused, which does not stop these. Nothing is looked at unless a handler of the worker is. */
export function* pausedDeadlines(
  tables: MemoryTables,
  { app, queues, handlers: open, isOpen }: Reach,
  { handlers }: Capability,
): Iterable<RunRow> {
  const paused = new Set(handlers.filter((handler) => !open.includes(handler)));
  if (paused.size === 0 || queues.length === 0) return;
  for (const { runId, verdict } of tables.flows.values()) {
    const run = verdict === null ? tables.runs.get(runId) : undefined;
    if (!run || !tables.waiting.has(run) || !isTimedFlow(tables, run)) continue;
    const { definition, app: owner } = run.job;
    const { queue, handler, namespace } = definition;
    const isWithin = paused.has(handler) && queues.includes(queue) && isOpen?.(namespace) !== false;
    if (isWithin && (owner === null || owner === app)) yield run;
  }
}

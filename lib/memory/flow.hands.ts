import type { ClaimedRun } from '../model/run.js';
import type { Capability, EpochMs, Hands, Settlement, SettleResult } from '../ports/storage.adapter.js';
import { withFlows } from './flow.endings.js';
import { isLeft } from './flow.rows.js';
import { claimRun } from './runs.js';
import { reachOf } from './scopes.js';
import { settle } from './settling.js';
import type { MemoryTables, RunRow } from './tables.js';
import { holdsLease } from './workers.js';

/** Settles, and claims of what is born by that what this worker may begin at once. */
export function settleInto(
  tables: MemoryTables,
  now: EpochMs,
  settlements: readonly Settlement[],
  hands: Hands,
): SettleResult {
  const flows = settlements.map(({ runId }) => tables.runs.get(runId)?.step?.flow);
  const result = withFlows((all, at) => settle(all, at, settlements))(tables, now);
  const born = tables.born.splice(0);
  const taken = take(tables, now, born, hands);
  // What the end of a flow sets off is not looked for.
  const isAll = settlements.every(isEndOfStep) && flows.every((flow) => flow !== undefined && !isLeft(flow));
  const left = born.filter((run) => tables.waiting.has(run)).map(({ dueAt }) => dueAt);
  return {
    ...result,
    ...(taken.length > 0 && { taken }),
    ...(isAll && { bornAt: left.length === 0 ? null : Math.min(...left) }),
  };
}

function isEndOfStep({ flowStep, callback }: Settlement): boolean {
  return flowStep !== undefined && !callback;
}

function take(
  tables: MemoryTables,
  now: EpochMs,
  born: readonly RunRow[],
  { capability, room }: Hands,
): ClaimedRun[] {
  if (!holdsLease(tables, now, capability.workerId)) return [];
  const isMeant = within(tables, capability);
  const due = born.filter((run) => run.dueAt <= now && run.open === null && isMeant(run));
  const taken = due.sort(byPriority).slice(0, Math.max(room, 0));
  return taken.map((run) => claimRun(tables, now, run, capability.workerId));
}

function within(tables: MemoryTables, capability: Capability): (run: RunRow) => boolean {
  const { app, queues, handlers, isOpen } = reachOf(tables, capability);
  return (run) => {
    const { definition, app: owner } = run.job;
    if (!tables.waiting.has(run) || (owner !== null && owner !== app)) return false;
    const { queue, handler, namespace } = definition;
    return queues.includes(queue) && handlers.includes(handler) && isOpen?.(namespace) !== false;
  };
}

const byPriority = (a: RunRow, b: RunRow): number => a.job.definition.priority - b.job.definition.priority;

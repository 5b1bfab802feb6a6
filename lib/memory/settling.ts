import { abandoned } from '../ports/abandonment.js';
import type { EpochMs, Settlement, SettleResult } from '../ports/storage.adapter.js';
import type { ClaimedRun } from '../model/run.js';
import { outside } from '../ports/outside.js';
import { bearCallback } from './definitions.js';
import { checkGrowth } from './flow.growth.js';
import { openFlow } from './flow.opening.js';
import {
  finish,
  handBack,
  isHeldWith,
  isUnwanted,
  leave,
  leaveOpen,
  mustNotRunTwice,
  record,
  takeOpen,
  tryAgain,
} from './runs.js';
import type { MemoryTables, RunRow } from './tables.js';

/** Nobody holds a lock longer than a call, so nothing is passed over. */
export function settle(tables: MemoryTables, now: EpochMs, settlements: readonly Settlement[]): SettleResult {
  checkGrowth(tables, settlements);
  const accepted = settlements.filter((settlement) => settleOne(tables, now, settlement));
  return { accepted: accepted.map(({ runId }) => runId), locked: [] };
}

/** False: it is not open. */
export function settleOpen(
  tables: MemoryTables,
  now: EpochMs,
  runId: string,
  judge: (run: ClaimedRun, now: EpochMs) => Settlement,
): boolean {
  const run = tables.runs.get(runId);
  // How a flow ends is decided once.
  if (run?.open == null || (tables.flows.get(runId)?.ending ?? null) !== null) return false;
  const taken = takeOpen(tables, now, run, outside);
  try {
    const settlement = judge(taken, now);
    checkGrowth(tables, [settlement]);
    return settleOne(tables, now, settlement);
  } catch (error) {
    leaveOpen(tables, run, run.open);
    throw error;
  }
}

function settleOne(tables: MemoryTables, now: EpochMs, settlement: Settlement): boolean {
  const run = tables.runs.get(settlement.runId);
  // A late result from an attempt that lost its run must not overwrite the attempt that replaced it.
  if (!isHeldWith(run, settlement)) return false;
  const { outcome, trace } = settlement;
  if (trace !== undefined) run.trace = { parent: run.trace?.parent ?? null, last: trace };
  if (outcome === 'handed_back' || outcome === 'snoozed' || outcome === 'opened')
    handRunBack(tables, now, run, settlement);
  else if (settlement.retryAt === null || isUnwanted(run)) {
    if (finish(tables, now, run, { ...settlement, outcome })) bearCallback(tables, now, settlement.callback);
  } else if (!leave(tables, now, run, { ...settlement, outcome }, settlement.retryAt)) {
    tryAgain(tables, run, settlement, settlement.retryAt);
  }
  return true;
}

function handRunBack(tables: MemoryTables, now: EpochMs, run: RunRow, settlement: Settlement): void {
  if (isUnwanted(run)) {
    finish(tables, now, run, { ...settlement, outcome: 'cancelled' });
  } else if (settlement.outcome === 'handed_back' && mustNotRunTwice(run)) {
    finish(tables, now, run, { ...settlement, outcome: 'lost', error: abandoned.running });
    bearCallback(tables, now, settlement.callback);
  } else if (settlement.outcome === 'opened') {
    record(tables, run, settlement, false);
    leaveOpen(tables, run, { since: settlement.startedAt, deadline: settlement.retryAt });
    if (settlement.flow) openFlow(tables, now, run, settlement.flow, settlement.trace);
  } else {
    record(tables, run, settlement, false);
    const isSnoozed = settlement.outcome === 'snoozed';
    const until = run.signalledFence === run.fence ? now : (settlement.retryAt ?? now);
    handBack(tables, run, isSnoozed ? until : undefined);
  }
}

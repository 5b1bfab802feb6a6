import type { NewFlow, NewJob, Hands, Settlement, SettleResult } from '../ports/storage.adapter.js';
import { countSteps, type MoreSteps } from './flow.counting.js';
import { FlowHands } from './flow.hands.js';
import { openFlow } from './flow.opening.js';
import { endFlows } from './flow.verdicts.js';
import { bearCallbacks } from './job.insertion.js';
import { conclude, lockFlows, tellFlows, type EndedRow } from './run.conclusion.js';
import { settlementColumns } from './settlement.columns.js';
import type { Run } from './statement.runner.js';

/** `deferred`: others wait for it · `locked`: by somebody else. Nothing was written for either. */
export interface SettledRow extends EndedRow {
  fence: number;
  deferred: boolean;
  locked: boolean;
  /** The step of a workflow that was left open; null: none. */
  opens: string | null;
}

/** In one transaction, which must be at READ COMMITTED; `settle` waits for locks as long as that one may, `settleBriefly` for `lockMs`. `hands`: see `StorageAdapter.settle`. */
export async function settleWithin(
  run: Run,
  settlements: readonly Settlement[],
  statement: 'settle' | 'settleBriefly' | 'settlePassing',
  { lockMs, hands: given }: { lockMs?: number; hands?: Hands } = {},
): Promise<SettleResult> {
  const values = [...settlementColumns(settlements), true, ...(lockMs === undefined ? [] : [String(lockMs)])];
  const rows = await run<SettledRow>(statement, ...values);
  const settled = rows.filter(({ locked }) => !locked);
  const hands = given === undefined ? null : new FlowHands(given);
  await countWithin(run, settlements, settled);
  await openFlows(run, settlements, settled);
  await conclude(run, settled, settlements, hands);
  const decided = new Set(settled.filter(({ final }) => final).map(({ id, fence }) => `${id} ${fence}`));
  const called = new Map<string, NewJob>();
  for (const { runId, fence, callback } of settlements) {
    if (callback && decided.has(`${runId} ${fence}`)) called.set(runId, callback);
  }
  await bearCallbacks(run, [...called.values()]);
  const locked = rows.filter((row) => row.locked);
  const result = { accepted: settled.map(({ id }) => id), locked: locked.map(({ id }) => id) };
  if (hands === null) return result;
  const { taken, bornAt, isAll } = hands;
  // What else it sets off is not known: growth, an end of a run that is no step, a callback, a flow that opens.
  const isKnown = isAll && called.size === 0 && settlements.every(isPlainStep);
  return { ...result, ...(taken.length > 0 && { taken }), ...(isKnown && { bornAt }) };
}

/** What opens within others is counted with these, behind the locks that `conclude` takes: in one order with what else ends. Throws InvalidWorkflowError. */
async function countWithin(
  run: Run,
  settlements: readonly Settlement[],
  settled: readonly SettledRow[],
): Promise<void> {
  const opening = new Map(settled.flatMap(({ id, opens }) => (opens === null ? [] : [[id, opens] as const])));
  if (opening.size === 0) return;
  const more: MoreSteps[] = [];
  for (const { runId, outcome, flow } of settlements) {
    const by = opening.get(runId);
    if (!by || !flow || outcome !== 'opened') continue;
    more.push({ by, count: flow.steps.length, workflow: flow.workflow });
  }
  if (more.length === 0) return;
  const ends = settled.flatMap(({ flow_end }) => flow_end ?? []);
  await lockFlows(run, {
    steps: [...more.map(({ by }) => by), ...ends.flatMap(({ step }) => step ?? [])],
    left: ends.flatMap(({ flow }) => flow ?? []),
  });
  await countSteps(run, more);
}

/** Of what has not been cancelled meanwhile. */
async function openFlows(
  run: Run,
  settlements: readonly Settlement[],
  settled: readonly SettledRow[],
): Promise<void> {
  const opened = new Set(settled.filter(({ final }) => !final).map(({ id, fence }) => `${id} ${fence}`));
  for (const { runId, fence, outcome, flow, trace } of settlements) {
    if (!flow || outcome !== 'opened' || !opened.has(`${runId} ${fence}`)) continue;
    const { id, active } =
      (await openFlow(run, runId, flow, trace)) ?? (await openAnew(run, runId, flow, trace));
    if (active > 0) continue;
    const over = await endFlows<EndedRow>(run, [id]);
    await conclude(run, over.rows, over.settlements);
  }
}

/** A run is one flow at most. */
async function openAnew(
  run: Run,
  runId: string,
  flow: NewFlow,
  trace: string | undefined,
): Promise<{ id: string; active: number }> {
  const [before] = await run<{ id: string }>('findFlow', runId);
  await tellFlows(run, [], [before!.id]);
  const [dropped] = await run<{ place: string }>('dropFlow', before!.id);
  return (await openFlow(run, runId, flow, trace, dropped!.place))!;
}

function isPlainStep({ flowStep, outcome }: Settlement): boolean {
  return outcome === 'succeeded' && flowStep !== undefined && !flowStep.added && !flowStep.joined;
}

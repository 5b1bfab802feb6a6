import { flowOver } from '../ports/flows.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { callbackOf } from '../ports/callback.js';
import type { FlowEnding } from '../ports/flow.ending.js';
import type { FlowVerdict } from '../ports/flows.js';
import { flowResultNotKept, maxFlowResult, type EpochMs, type Settlement } from '../ports/storage.adapter.js';
import { bearCallbacks } from './job.insertion.js';
import { takeOpen } from './open.runs.js';
import { settlementColumns } from './settlement.columns.js';
import type { Run } from './statement.runner.js';

/** The longest list of names in an error. */
const mostNamed = 20;

interface OverFlow {
  id: string;
  run_id: string;
  verdict: FlowVerdict;
  /** As was decided from outside; null: nothing was. */
  ending: FlowEnding | null;
  retry_at: EpochMs | null;
}

/** Runs that have ended, as the statement that has done it tells, and what they have ended as. */
export interface EndedRuns<Row> {
  rows: Row[];
  settlements: Settlement[];
}

/** Ends those of these locked flows that have nothing under way, and gives their runs their verdicts. */
export async function endFlows<Row>(run: Run, flows: readonly string[]): Promise<EndedRuns<Row>> {
  const ended: EndedRuns<Row> = { rows: [], settlements: [] };
  for (const over of await run<OverFlow>('endFlows', flows)) {
    const { rows, settlements } = await settleFlow<Row>(run, over);
    ended.rows.push(...rows);
    ended.settlements.push(...settlements);
  }
  return ended;
}

async function settleFlow<Row>(run: Run, over: OverFlow): Promise<EndedRuns<Row>> {
  const { run_id: runId, retry_at: retryAt } = over;
  const { outcome, error, fingerprint = null, result } = over.ending ?? (await endingOf(run, over));
  const open = await takeOpen(run, runId, 'takeOver');
  if (open === null) return { rows: [], settlements: [] };
  const { taken, now } = open;
  const { fence, worker, openedAt: startedAt } = taken;
  const settlement: Settlement = {
    ...{ runId, fence, worker, outcome, startedAt, finishedAt: now, retryAt, error, fingerprint, result },
  };
  const rows = await run<Row>('settle', ...settlementColumns([settlement]), true);
  if (retryAt === null) run.noteEnd?.(flowOver(taken, settlement, over.ending));
  const callback = retryAt !== null ? null : callbackOf(taken, outcome, { finishedAt: now, error, result });
  if (callback !== null) await bearCallbacks(run, [callback]);
  return { rows, settlements: [settlement] };
}

/** What follows from its steps. */
async function endingOf(
  run: Run,
  { id, verdict }: OverFlow,
): Promise<Pick<Settlement, 'error' | 'fingerprint' | 'result'> & Pick<FlowEnding, 'outcome'>> {
  return verdict === 'failed'
    ? { outcome: 'failed', error: await errorOf(run, id), result: null }
    : { outcome: 'succeeded', ...(await resultOf(run, id)) };
}

async function errorOf(run: Run, flow: string): Promise<string> {
  const bad = await run<{ name: string; state: string; count: number }>('readBadSteps', flow, mostNamed);
  const named = bad.map(({ name, state }) => `"${name}" (${state})`).join(', ');
  const more = (bad[0]?.count ?? 0) - bad.length;
  return `Steps have not ended well: ${named}${more > 0 ? `, and ${more} more` : ''}.`;
}

/** Of the steps that nothing comes after, by their names. */
async function resultOf(run: Run, flow: string): Promise<Pick<Settlement, 'error' | 'result'>> {
  type Last = { fits: boolean; results: { name: string; result: JsonValue }[] | null };
  const [{ fits, results }] = await run<Last>('readLastResults', flow, maxFlowResult);
  const notKept = { error: flowResultNotKept, result: null };
  if (!fits) return notKept;
  const result: JsonObject = Object.fromEntries(
    (results ?? []).map(({ name, result: value }) => [name, value]),
  );
  return JSON.stringify(result).length > maxFlowResult ? notKept : { error: null, result };
}

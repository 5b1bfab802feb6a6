import type { JsonValue } from '../model/json.js';
import { callbackOf } from '../ports/callback.js';
import { outside } from '../ports/outside.js';
import type { FlowEnding } from '../ports/flow.ending.js';
import { flowOver, flowVerdictOf } from '../ports/flows.js';
import { flowResultNotKept, maxFlowResult, type EpochMs } from '../ports/storage.adapter.js';
import { bearCallback } from './definitions.js';
import { advance, type StepEnding } from './flow.advancing.js';
import { addSteps } from './flow.growth.js';
import { allSteps, hasEndedWell, isLeft, resultOf, type FlowRow, type FlowStepRow } from './flow.rows.js';
import { tellWaits } from './run.waits.js';
import { cancel, finish, takeOpen, tryAgain, type Ending } from './runs.js';
import type { EndedRun, MemoryTables, Step } from './tables.js';

/** The longest list of names in an error. */
const mostNamed = 20;

/** The same, and then what the ends of runs in it mean for flows: nobody sees the one without the other. */
export function withFlows<T>(step: Step<T>): Step<T> {
  return (tables, now) => {
    tables.ended.length = 0;
    tables.born.length = 0;
    tables.ends.length = 0;
    const answer = step(tables, now);
    while (tables.ended.length > 0) follow(tables, now, tables.ended.splice(0));
    return answer;
  };
}

/** The flow has no step that goes on, so none will: its verdict is that of its run. */
export function endIfOver(tables: MemoryTables, now: EpochMs, flow: FlowRow): void {
  if (flow.verdict !== null || flow.active > 0) return;
  const { outcome, error, result, fingerprint = null } = flow.ending ?? endingOf(flow);
  const { retryAt } = flow;
  flow.verdict = retryAt === null ? flowVerdictOf(outcome) : 'cancelled';
  flow.endedAt = now;
  flow.pausedAt = null;
  const run = tables.runs.get(flow.runId)!;
  run.cancelRequested = false;
  const taken = takeOpen(tables, now, run, outside);
  const ending = { finishedAt: now, error, result };
  const verdict = { outcome, startedAt: taken.openedAt!, fingerprint, ...ending };
  if (retryAt !== null) return tryAgain(tables, run, verdict, retryAt);
  finish(tables, now, run, verdict);
  const { id: runId, fence, worker } = taken;
  const settlement = { ...verdict, runId, fence, worker, retryAt };
  tables.ends.push(flowOver(taken, settlement, flow.ending));
  bearCallback(tables, now, callbackOf({ ...taken, ...run.claimedAs }, outcome, ending));
}

/** What follows from its steps. */
function endingOf(
  flow: FlowRow,
): Pick<Ending, 'fingerprint'> & Pick<FlowEnding, 'outcome' | 'error' | 'result'> {
  const bad = [...flow.steps.values()].filter((step) => !hasEndedWell(step));
  return bad.length === 0
    ? { outcome: 'succeeded', ...resultOfFlow(flow) }
    : { outcome: 'failed', error: errorOf(bad), result: null };
}

/** It is decided how its run ends: what waits is cancelled, who runs is asked. */
export function cancelFlow(tables: MemoryTables, now: EpochMs, flow: FlowRow): void {
  flow.pausedAt = null;
  const waiting: StepEnding[] = [];
  for (const step of allSteps(flow)) {
    if (step.state === 'waiting') waiting.push({ step, verdict: 'cancelled', reason: null, result: null });
    const run = step.state === 'released' && step.runId !== null ? tables.runs.get(step.runId) : undefined;
    if (run?.step === step) cancel(tables, now, run);
  }
  advance(tables, now, flow, waiting);
}

function follow(tables: MemoryTables, now: EpochMs, ended: readonly EndedRun[]): void {
  const moves = new Map<FlowRow, { endings: StepEnding[]; fresh: FlowStepRow[] }>();
  for (const { run, outcome, error, result, flowStep } of ended) {
    const own = tables.flows.get(run.id);
    if (own?.verdict === null && own.ending !== null) {
      cancelFlow(tables, now, own);
      endIfOver(tables, now, own);
    }
    const { step } = run;
    if (step === null || outcome === null) continue;
    const move = moves.get(step.flow) ?? { endings: [], fresh: [] };
    moves.set(step.flow, move);
    const isSkipped = outcome === 'succeeded' && flowStep?.skipped != null;
    move.endings.push({
      step,
      verdict: isSkipped ? 'skipped' : outcome,
      reason: isSkipped ? flowStep.skipped! : error,
      result: structuredClone(result),
    });
    if (outcome === 'succeeded' && !isLeft(step.flow)) {
      const { added = [], joined = [] } = flowStep ?? {};
      move.fresh.push(...addSteps(tables, step.flow, added, joined, step.definition.name));
    }
  }
  for (const [flow, { endings, fresh }] of moves) {
    advance(tables, now, flow, endings, fresh);
    endIfOver(tables, now, flow);
  }
  tellWaits(tables, now, ended);
}

/** Of the steps that nothing comes after, by their names. */
function resultOfFlow({ steps }: FlowRow): { error: string | null; result: JsonValue } {
  const leaves = [...steps.values()].filter(({ children }) => children.length === 0);
  const result = Object.fromEntries(leaves.map((step) => [step.definition.name, resultOf(step)]));
  const fits = JSON.stringify(result).length <= maxFlowResult;
  return fits ? { error: null, result } : { error: flowResultNotKept, result: null };
}

function errorOf(bad: readonly FlowStepRow[]): string {
  const named = bad.slice(0, mostNamed).map(({ definition: { name }, state }) => {
    return `"${name}" (${state === 'waiting' ? 'blocked' : state})`;
  });
  const rest = bad.length > mostNamed ? `, and ${bad.length - mostNamed} more` : '';
  return `Steps have not ended well: ${named.join(', ')}${rest}.`;
}

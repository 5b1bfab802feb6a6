import type { JsonValue } from '../model/json.js';
import type { StepVerdict } from '../model/verdict.js';
import { maxFlowSteps, maxMapItems, type EpochMs } from '../ports/storage.adapter.js';
import { bearStepRun } from './flow.births.js';
import {
  countParent,
  hasEnded,
  hasEndedWell,
  isLeft,
  newStep,
  resultOf,
  rootOf,
  type FlowRow,
  type FlowStepRow,
} from './flow.rows.js';
import type { MemoryTables } from './tables.js';

export interface StepEnding {
  step: FlowStepRow;
  verdict: StepVerdict;
  reason: string | null;
  result: JsonValue;
}

/**
 * Moves a flow on by ends of its steps. All that end together are counted before anything is decided by them, then all that is decided to end by that, and so on: else it would depend on the order whether, of two
 * parents that are skipped, the first lets their child run.
 */
export function advance(
  tables: MemoryTables,
  now: EpochMs,
  flow: FlowRow,
  endings: readonly StepEnding[],
  fresh: Iterable<FlowStepRow> = [],
): void {
  let concerned = new Set(fresh);
  for (let told = endings; told.length > 0 || concerned.size > 0; concerned = new Set()) {
    for (const ending of told) for (const step of end(now, ending)) concerned.add(step);
    told = [...concerned].flatMap((step) => decide(tables, now, flow, step) ?? []);
  }
}

/** What it concerns: its children, or its map. A step is counted once, however often it is told that it has ended. */
function end(now: EpochMs, { step, verdict, reason, result }: StepEnding): FlowStepRow[] {
  if (hasEnded(step)) return [];
  const { flow, nth } = step;
  const wasReleased = step.state === 'released';
  step.state = verdict;
  step.endedAt = now;
  step.reason = reason;
  step.result = verdict === 'succeeded' ? result : null;
  if (nth !== null) {
    const map = flow.steps.get(step.definition.name)!;
    map.going--;
    return [map];
  }
  if (wasReleased) flow.active--;
  const children = step.children.map((name) => flow.steps.get(name)!);
  for (const child of children) countParent(child, step);
  return children;
}

/** Null: it stays as it is, or its run is born. */
function decide(tables: MemoryTables, now: EpochMs, flow: FlowRow, step: FlowStepRow): StepEnding | null {
  if (step.state === 'released') return endOfMap(step);
  // What ends in a flow that is over, or ending, sets nothing off.
  if (step.state !== 'waiting' || isLeft(flow)) return null;
  const { after, need, ok, bad, skips } = step;
  const { otherwise } = step.definition;
  const notSkipped = after.length - skips;
  if (skips > 0 && notSkipped === 0) return skipped(step, 'All of its parents were skipped.');
  // A parent that was skipped is as if it were not there.
  const wanted = Math.min(need, notSkipped);
  if (ok - skips >= wanted || (otherwise === 'run' && ok + bad === after.length))
    return release(tables, now, step);
  const isOutOfReach = notSkipped - bad < wanted;
  return isOutOfReach && otherwise === 'cancel' ? ended(step, 'cancelled', null) : null;
}

/** Why a map has nothing to be made of. */
function withoutList({ state, reason, definition: { name } }: FlowStepRow): string {
  if (state === 'succeeded') return `The result of the step "${name}" is no array.`;
  if (state === 'released' || state === 'waiting')
    return `The step "${name}" has not ended, so there is no list.`;
  const why = reason === null ? '' : ` (${reason.split('\n', 1)[0]!})`;
  return `The step "${name}" is ${state}${why}, so there is no list. A retry with { from: "${name}" } runs that again.`;
}

/** Null: its run is born, or those of its instances are. */
export function release(tables: MemoryTables, now: EpochMs, step: FlowStepRow): StepEnding | null {
  const { flow, definition } = step;
  if (!definition.map) {
    flow.active++;
    bearStepRun(tables, now, step);
    return null;
  }
  const parent = flow.steps.get(step.after.find(({ data }) => data)!.parent)!;
  if (step.instances.length > 0) {
    goOn(tables, now, step, parent);
    return null;
  }
  if (parent.state === 'skipped') return skipped(step, `The step "${parent.definition.name}" was skipped.`);
  const items = hasEnded(parent) ? resultOf(parent) : null;
  if (!Array.isArray(items)) return ended(step, 'failed', withoutList(parent));
  if (items.length > maxMapItems) {
    const most = `has ${items.length} items, and a map ${maxMapItems} instances at most.`;
    return ended(step, 'failed', `The result of the step "${parent.definition.name}" ${most}`);
  }
  if (items.length === 0) return skipped(step, 'There is no item.');
  const root = rootOf(flow);
  if (root.total + items.length > maxFlowSteps) {
    const full = `has ${items.length} items, and the run ${root.runId} of the workflow "${root.workflow}" may have ${maxFlowSteps} steps with all workflows in it.`;
    return ended(step, 'failed', `The result of the step "${parent.definition.name}" ${full}`);
  }
  root.total += items.length;
  flow.active++;
  step.state = 'released';
  step.releasedAt = now;
  step.going = items.length;
  step.instances = items.map((item, nth) =>
    newStep(tables, flow, { ...definition, map: false }, { position: step.position, nth, item }),
  );
  for (const instance of step.instances) bearStepRun(tables, now, instance);
  return null;
}

/** Releases the instances of a map that wait, see `setBack`, with the items that there are by now. */
function goOn(tables: MemoryTables, now: EpochMs, map: FlowStepRow, parent: FlowStepRow): void {
  const items = hasEnded(parent) ? resultOf(parent) : null;
  map.flow.active++;
  map.state = 'released';
  map.releasedAt = now;
  for (const instance of map.instances) {
    if (instance.state !== 'waiting') continue;
    if (Array.isArray(items)) instance.item = items[instance.nth!]!;
    bearStepRun(tables, now, instance);
  }
}

/** Null: it is none, or some of its instances have not ended. */
function endOfMap(step: FlowStepRow): StepEnding | null {
  const { going, instances } = step;
  if (instances.length === 0 || going > 0) return null;
  const bad = instances.filter((each) => !hasEndedWell(each)).length;
  if (bad === 0) return ended(step, 'succeeded', null);
  return ended(step, 'failed', `${bad} of its ${instances.length} instances have not ended well.`);
}

function skipped(step: FlowStepRow, reason: string): StepEnding {
  return ended(step, 'skipped', reason);
}

function ended(step: FlowStepRow, verdict: StepVerdict, reason: string | null): StepEnding {
  return { step, verdict, reason, result: null };
}

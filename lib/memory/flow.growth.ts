import { GrowthRefusal } from '../model/growth.refusal.js';
import { cycleWith } from '../model/step.cycle.js';
import type { NewFlowStep, Settlement, StepEnd } from '../ports/storage.adapter.js';
import { maxFlowSteps } from '../ports/storage.adapter.js';
import {
  countParent,
  hasEnded,
  isLeft,
  newStep,
  rootOf,
  type FlowRow,
  type FlowStepRow,
} from './flow.rows.js';
import { isHeldWith, isUnwanted } from './runs.js';
import type { MemoryTables } from './tables.js';

type Growth = Pick<StepEnd, 'added' | 'joined'>;

/** Stores steps, and returns them; their parents are counted as far as they have ended. */
export function addSteps(
  tables: MemoryTables,
  flow: FlowRow,
  added: readonly NewFlowStep[],
  joined: NonNullable<StepEnd['joined']> = [],
  addedBy: string | null = null,
): FlowStepRow[] {
  let position = [...flow.steps.values()].at(-1)?.position ?? -1;
  const rows = added.map((given) => {
    const { after: _, need, ...definition } = given;
    const row = newStep(tables, flow, structuredClone(definition), { position: ++position, need, addedBy });
    flow.steps.set(definition.name, row);
    return row;
  });
  rootOf(flow).total += rows.length;
  for (const { name, after } of added) {
    for (const { parent, data } of after) connect(tables, flow, parent, name, data);
  }
  for (const { parent, child, data } of joined) {
    const waiting = flow.steps.get(child)!;
    if (waitsFor(waiting, flow.steps.get(parent)!)) continue;
    connect(tables, flow, parent, child, data && !waiting.definition.map);
    waiting.need++;
  }
  return rows;
}

/** Looked for where fewer are: either may have thousands. */
function waitsFor(child: FlowStepRow, parent: FlowStepRow): boolean {
  if (parent.children.length < child.after.length) return parent.children.includes(child.definition.name);
  return child.after.some((edge) => edge.parent === parent.definition.name);
}

function connect(
  tables: MemoryTables,
  { steps }: FlowRow,
  parentName: string,
  childName: string,
  data: boolean,
): void {
  const [parent, child] = [steps.get(parentName)!, steps.get(childName)!];
  parent.children.push(childName);
  child.after.push({ parent: parentName, data });
  tables.note('flowSteps', parent);
  tables.note('flowSteps', child);
  if (hasEnded(parent)) countParent(child, parent);
}

/** Whether all that these settlements add, and open as, fits, before anything of them is written. Throws InvalidWorkflowError. */
export function checkGrowth(tables: MemoryTables, settlements: readonly Settlement[]): void {
  const growing = new Map<FlowRow, Growth[]>();
  const counts = new Map<FlowRow, number>();
  const count = (flow: FlowRow, steps: number, workflow: string): void => {
    const root = rootOf(flow);
    const sum = (counts.get(root) ?? root.total) + steps;
    counts.set(root, sum);
    if (steps > 0 && sum > maxFlowSteps)
      throw new GrowthRefusal(root.workflow, root.runId).tooMany(workflow, maxFlowSteps);
  };
  for (const settlement of settlements) {
    const run = tables.runs.get(settlement.runId);
    const flow = isHeldWith(run, settlement) ? run.step?.flow : undefined;
    if (flow === undefined) continue;
    const { outcome, flow: opened } = settlement;
    if (outcome === 'opened' && opened && !isUnwanted(run!))
      count(flow, opened.steps.length, opened.workflow);
    if (outcome !== 'succeeded' || isLeft(flow)) continue;
    const { added = [], joined = [] } = settlement.flowStep ?? {};
    if (added.length + joined.length === 0) continue;
    count(flow, added.length, flow.workflow);
    const growths = growing.get(flow);
    if (growths) growths.push({ added, joined });
    else growing.set(flow, [{ added, joined }]);
  }
  for (const [flow, growths] of growing) checkFlow(flow, growths);
}

function checkFlow(flow: FlowRow, growths: readonly Growth[]): void {
  const added = growths.flatMap((growth) => growth.added ?? []);
  const joined = growths.flatMap((growth) => growth.joined ?? []);
  const refusal = new GrowthRefusal(flow.workflow, flow.runId);
  const names = new Set<string>();
  for (const { name } of added) {
    if (flow.steps.has(name) || names.has(name)) throw refusal.taken(name);
    names.add(name);
  }
  const isKnown = (name: string): boolean => flow.steps.has(name) || names.has(name);
  for (const { name, after } of added) {
    for (const { parent } of after) if (!isKnown(parent)) throw refusal.unknownParent(name, parent);
  }
  for (const { parent, child } of joined) {
    if (!isKnown(parent)) throw refusal.unknownParent(child, parent);
    if (!isKnown(child)) throw refusal.unknownChild(parent, child);
    const state = flow.steps.get(child)?.state ?? 'waiting';
    if (state !== 'waiting') throw refusal.released(parent, child);
  }
  const cycle = joined.length > 0 ? cycleIn(flow, added, joined) : null;
  if (cycle !== null) throw refusal.cycle(cycle);
}

function cycleIn(
  flow: FlowRow,
  added: readonly NewFlowStep[],
  joined: NonNullable<Growth['joined']>,
): string[] | null {
  const behind = new Set<FlowStepRow>();
  for (const { child } of joined) {
    const step = flow.steps.get(child);
    if (step) behind.add(step);
  }
  for (const step of behind) for (const name of step.children) behind.add(flow.steps.get(name)!);
  const fresh = added.map(({ name, after }) => ({ name, parents: after.map(({ parent }) => parent) }));
  return cycleWith(
    Array.from(behind, ({ definition: { name }, children }) => ({ name, children })),
    fresh,
    joined,
  );
}

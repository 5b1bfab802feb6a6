import { InvalidPayloadError } from '../model/errors.js';
import type { NewFlowStep, Settlement, StepEnd } from '../ports/storage.adapter.js';
import { countParent, hasEnded, newStep, type FlowRow, type FlowStepRow } from './flow.rows.js';
import { isHeldWith } from './runs.js';
import type { MemoryTables } from './tables.js';

type Growth = Pick<StepEnd, 'added' | 'joined'>;

/** Stores steps, and returns them; their parents are counted as far as they have ended. */
export function addSteps(
  flow: FlowRow,
  added: readonly NewFlowStep[],
  joined: NonNullable<StepEnd['joined']> = [],
  addedBy: string | null = null,
): FlowStepRow[] {
  let position = [...flow.steps.values()].at(-1)?.position ?? -1;
  const rows = added.map((given) => {
    const { after: _, need, ...definition } = given;
    const row = newStep(flow, structuredClone(definition), { position: ++position, need, addedBy });
    flow.steps.set(definition.name, row);
    return row;
  });
  for (const { name, after } of added) {
    for (const { parent, data } of after) connect(flow, parent, name, data);
  }
  for (const { parent, child, data } of joined) {
    const waiting = flow.steps.get(child)!;
    // It waits for it as it is.
    if (waiting.after.some((edge) => edge.parent === parent)) continue;
    connect(flow, parent, child, data && !waiting.definition.map);
    waiting.need++;
  }
  return rows;
}

function connect({ steps }: FlowRow, parentName: string, childName: string, data: boolean): void {
  const [parent, child] = [steps.get(parentName)!, steps.get(childName)!];
  parent.children.push(childName);
  child.after.push({ parent: parentName, data });
  if (hasEnded(parent)) countParent(child, parent);
}

/** Whether all that these settlements add fits, before anything of them is written. Throws InvalidPayloadError. */
export function checkGrowth(tables: MemoryTables, settlements: readonly Settlement[]): void {
  const growing = new Map<FlowRow, Growth[]>();
  for (const settlement of settlements) {
    const run = tables.runs.get(settlement.runId);
    const flow = isHeldWith(run, settlement) ? run.step?.flow : undefined;
    if (flow === undefined || settlement.outcome !== 'succeeded' || flow.verdict !== null) continue;
    const { added = [], joined = [] } = settlement.flowStep ?? {};
    if (added.length + joined.length > 0)
      growing.set(flow, [...(growing.get(flow) ?? []), { added, joined }]);
  }
  for (const [flow, growths] of growing) checkFlow(flow, growths);
}

function checkFlow(flow: FlowRow, growths: readonly Growth[]): void {
  const added = growths.flatMap((growth) => growth.added ?? []);
  const joined = growths.flatMap((growth) => growth.joined ?? []);
  const names = new Set<string>();
  for (const { name } of added) {
    if (flow.steps.has(name) || names.has(name))
      refuse(flow, `has a step "${name}" already. Add it by another name.`);
    names.add(name);
  }
  const known = (name: string): void => {
    if (!flow.steps.has(name) && !names.has(name))
      refuse(flow, `has no step "${name}" that another could wait for, or that could wait.`);
  };
  for (const { after } of added) for (const { parent } of after) known(parent);
  for (const { parent, child } of joined) {
    known(parent);
    known(child);
    const state = flow.steps.get(child)?.state ?? 'waiting';
    if (state !== 'waiting')
      refuse(flow, `has released the step "${child}" already, so that it cannot wait for "${parent}".`);
  }
  if (joined.length > 0) checkCycle(flow, added, joined);
}

/** By Kahn: what is left when everything has gone that waits for nothing. */
function checkCycle(
  flow: FlowRow,
  added: readonly NewFlowStep[],
  joined: NonNullable<Growth['joined']>,
): void {
  const parents = new Map<string, Set<string>>();
  for (const { definition, after } of flow.steps.values())
    parents.set(definition.name, new Set(after.map(({ parent }) => parent)));
  for (const { name, after } of added) parents.set(name, new Set(after.map(({ parent }) => parent)));
  for (const { parent, child } of joined) parents.get(child)!.add(parent);
  const children = new Map<string, string[]>([...parents.keys()].map((name) => [name, []]));
  for (const [child, of] of parents) for (const parent of of) children.get(parent)!.push(child);
  const free = [...parents].filter(([, of]) => of.size === 0).map(([name]) => name);
  for (const name of free) {
    parents.delete(name);
    for (const child of children.get(name)!) {
      const left = parents.get(child)!;
      left.delete(name);
      if (left.size === 0) free.push(child);
    }
  }
  if (parents.size > 0) refuse(flow, `would have a cycle: ${cycleIn(parents).join(' → ')}.`);
}

/** Each that is left waits for another that is left: whoever goes back from one comes to a place where it was. */
function cycleIn(parents: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const path: string[] = [];
  let [name] = parents.keys();
  while (!path.includes(name)) {
    path.unshift(name);
    name = [...parents.get(name)!].find((parent) => parents.has(parent))!;
  }
  return [name, ...path.slice(0, path.indexOf(name) + 1)];
}

function refuse({ workflow, runId }: FlowRow, problem: string): never {
  throw new InvalidPayloadError('flowStep', `the run ${runId} of the workflow "${workflow}" ${problem}`);
}

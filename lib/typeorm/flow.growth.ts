import { GrowthRefusal } from '../model/growth.refusal.js';
import { cycleWith } from '../model/step.cycle.js';
import type { NewFlowStep, StepEnd } from '../ports/storage.adapter.js';
import { countSteps } from './flow.counting.js';
import { stepsAsJson } from './flow.opening.js';
import type { Run } from './statement.runner.js';

/** What the end of a step adds to its flow. */
export interface Growth {
  /** The id of the step. */
  by: string;
  end: StepEnd;
}

interface Place {
  flow: string;
  /** Of an instance its map. */
  place: string;
  run_id: string;
  workflow: string;
}

type Joined = NonNullable<StepEnd['joined']>[number];
type Growing = Pick<Place, 'flow' | 'run_id' | 'workflow'> & {
  added: { step: NewFlowStep; by: string }[];
  joined: Joined[];
};

/** Adds to locked flows what the ends of steps say, as far as these flows go on. Returns the ids of the steps. Throws InvalidWorkflowError where it does not fit. */
export async function growFlows(run: Run, growths: readonly Growth[]): Promise<string[]> {
  const rows = await run<Place & { id: string }>(
    'locateSteps',
    growths.map(({ by }) => by),
  );
  const places = new Map(rows.map((row) => [row.id, row]));
  const growing = new Map<string, Growing>();
  for (const { by, end } of growths) {
    const place = places.get(by);
    if (!place) continue;
    const flow = growing.get(place.flow) ?? { ...place, added: [], joined: [] };
    growing.set(place.flow, flow);
    flow.added.push(...(end.added ?? []).map((step) => ({ step, by: place.place })));
    flow.joined.push(...(end.joined ?? []));
  }
  const ids: string[] = [];
  for (const flow of growing.values()) ids.push(...(await growFlow(run, flow)));
  return ids;
}

async function growFlow(run: Run, growing: Growing): Promise<string[]> {
  const { flow, added, joined } = growing;
  const named = [
    ...added.flatMap(({ step }) => [step.name, ...step.after.map(({ parent }) => parent)]),
    ...joined.flatMap(({ parent, child }) => [parent, child]),
  ];
  const rows = await run<NamedStep>('readStepsByName', flow, [...new Set(named)]);
  const known = new Map(rows.map((row) => [row.name, row]));
  const refusal = new GrowthRefusal(growing.workflow, growing.run_id);
  check(growing, known, refusal);
  const places = new Map(added.map(({ step: { name } }, index) => [name, `-${index + 1}`]));
  const toThere = joined.filter(({ child }) => !places.has(child));
  const toAdded = new Map<string, Joined[]>();
  for (const edge of joined) {
    if (!places.has(edge.child)) continue;
    const others = toAdded.get(edge.child);
    if (others) others.push(edge);
    else toAdded.set(edge.child, [edge]);
  }
  const steps = added.map(({ step, by }) => ({ by, step: withJoined(step, toAdded.get(step.name) ?? []) }));
  if (joined.length > 0) {
    const waiting = [...new Set(toThere.map(({ child }) => known.get(child)!.id))];
    const behind = await run<{ name: string; children: string[] }>('readStepsBehind', waiting);
    const cycle = cycleIn(
      behind,
      steps.map(({ step }) => step),
      toThere,
    );
    if (cycle !== null) throw refusal.cycle(cycle);
  }
  await countSteps(
    run,
    added.length === 0 ? [] : [{ by: added[0]!.by, count: added.length, workflow: growing.workflow }],
  );
  const idOf = (name: string): string => places.get(name) ?? known.get(name)!.id;
  const edges = [
    ...steps.flatMap(({ step }) => step.after.map((edge) => ({ ...edge, child: step.name }))),
    ...toThere.map((edge) => ({ ...edge, data: edge.data && !known.get(edge.child)!.is_map })),
  ];
  const stored = await run<{ id: string }>(
    'growFlow',
    flow,
    stepsAsJson(steps.map(({ step }) => step)),
    steps.map(({ by }) => by),
    edges.map(({ parent }) => idOf(parent)),
    edges.map(({ child }) => idOf(child)),
    edges.map(({ data }) => data),
  );
  return stored.map(({ id }) => id);
}

interface NamedStep {
  id: string;
  name: string;
  is_map: boolean;
  waiting: boolean;
}

/** An edge to a step that is added as well is one of its own; `joined`: those. */
function withJoined(step: NewFlowStep, joined: readonly Joined[]): NewFlowStep {
  const parents = new Set(step.after.map(({ parent }) => parent));
  const after = [...step.after];
  for (const { parent, data } of joined) {
    if (parents.has(parent)) continue;
    parents.add(parent);
    after.push({ parent, data: data && !step.map });
  }
  return { ...step, after, need: step.need + after.length - step.after.length };
}

function check(
  { added, joined }: Growing,
  known: ReadonlyMap<string, NamedStep>,
  refusal: GrowthRefusal,
): void {
  const names = new Set<string>();
  for (const { step } of added) {
    if (known.has(step.name) || names.has(step.name)) throw refusal.taken(step.name);
    names.add(step.name);
  }
  const isKnown = (name: string): boolean => known.has(name) || names.has(name);
  for (const { step } of added) {
    for (const { parent } of step.after) if (!isKnown(parent)) throw refusal.unknownParent(step.name, parent);
  }
  for (const { parent, child } of joined) {
    if (!isKnown(parent)) throw refusal.unknownParent(child, parent);
    if (!isKnown(child)) throw refusal.unknownChild(parent, child);
    if (known.get(child)?.waiting === false) throw refusal.released(parent, child);
  }
}

function cycleIn(
  behind: readonly { name: string; children: readonly string[] }[],
  added: readonly NewFlowStep[],
  joined: readonly Joined[],
): string[] | null {
  const fresh = added.map(({ name, after }) => ({ name, parents: after.map(({ parent }) => parent) }));
  return cycleWith(behind, fresh, joined);
}

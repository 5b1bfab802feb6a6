import { InvalidPayloadError } from '../model/errors.js';
import { cycleWith } from '../model/step.cycle.js';
import type { NewFlowStep, StepEnd } from '../ports/storage.adapter.js';
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

/** Adds to locked flows what the ends of steps say, as far as these flows go on. Returns the ids of the steps. Throws InvalidPayloadError where it does not fit. */
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
  check(growing, known);
  const steps = added.map(({ step, by }) => ({ by, step: withJoined(step, joined) }));
  const places = new Map(steps.map(({ step: { name } }, index) => [name, `-${index + 1}`]));
  const toThere = joined.filter(({ child }) => !places.has(child));
  if (joined.length > 0) {
    const all = await run<{ name: string; parents: string[] }>('readFlowGraph', flow);
    checkCycle(
      growing,
      all,
      steps.map(({ step }) => step),
      toThere,
    );
  }
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

/** An edge to a step that is added as well is one of its own. */
function withJoined(step: NewFlowStep, joined: readonly Joined[]): NewFlowStep {
  const parents = new Set(step.after.map(({ parent }) => parent));
  const after = [...step.after];
  for (const { parent, child, data } of joined) {
    if (child !== step.name || parents.has(parent)) continue;
    parents.add(parent);
    after.push({ parent, data: data && !step.map });
  }
  return { ...step, after, need: step.need + after.length - step.after.length };
}

function check(growing: Growing, known: ReadonlyMap<string, NamedStep>): void {
  const { added, joined } = growing;
  const names = new Set<string>();
  for (const { step } of added) {
    if (known.has(step.name) || names.has(step.name)) {
      refuse(growing, `has a step "${step.name}" already. Add it by another name.`);
    }
    names.add(step.name);
  }
  const parents = added.flatMap(({ step }) => step.after.map(({ parent }) => parent));
  for (const name of [...parents, ...joined.flatMap(({ parent, child }) => [parent, child])]) {
    if (!known.has(name) && !names.has(name)) {
      refuse(growing, `has no step "${name}" that another could wait for, or that could wait.`);
    }
  }
  for (const { parent, child } of joined) {
    if (known.get(child)?.waiting === false) {
      refuse(growing, `has released the step "${child}" already, so that it cannot wait for "${parent}".`);
    }
  }
}

function checkCycle(
  growing: Growing,
  stored: readonly { name: string; parents: readonly string[] }[],
  added: readonly NewFlowStep[],
  joined: readonly Joined[],
): void {
  const fresh = added.map(({ name, after }) => ({ name, parents: after.map(({ parent }) => parent) }));
  const cycle = cycleWith([...stored, ...fresh], joined);
  if (cycle !== null) refuse(growing, `would have a cycle: ${cycle.join(' → ')}.`);
}

function refuse({ workflow, run_id: runId }: Growing, problem: string): never {
  throw new InvalidPayloadError('flowStep', `the run ${runId} of the workflow "${workflow}" ${problem}`);
}

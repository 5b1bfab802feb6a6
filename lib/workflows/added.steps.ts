import type { AddedStep } from '../engine/step.context.js';
import type { AddedSteps, CheckedSteps } from '../engine/step.end.js';
import {
  HandlerNotFoundError,
  InvalidOptionError,
  InvalidWorkflowError,
  UnknownTaskError,
} from '../model/errors.js';
import type { ClaimedRun } from '../model/run.js';
import { isA } from '../model/thrown.js';
import type { StepEnd } from '../ports/flows.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import type { HandlerDirectory } from '../scheduler/handler.directory.js';
import { described } from '../scheduler/option.checks.js';
import { flowSteps, plannedStep, stepName, type PlannedStep } from './planned.step.js';
import { cycleAmong } from '../model/step.cycle.js';
import { maxChildren, maxEdges } from './workflow.limits.js';
import { naming, stepUses } from './workflow.plan.js';

/** What is added, as it is stored. What can only be seen where the workflow is stored, such as names that it has, is refused there. */
export function addingSteps(directory: HandlerDirectory, storage: StorageAdapter): AddedSteps {
  return (steps, run, before) => {
    const planned = plannedSteps(steps, run, before);
    return { end: endOf(planned, run, before), ask: asking(planned.steps, run, directory, storage) };
  };
}

/** Null: all of them are known. */
function asking(
  steps: readonly PlannedStep[],
  { flowStep, app: given }: ClaimedRun,
  directory: HandlerDirectory,
  storage: StorageAdapter,
): CheckedSteps['ask'] {
  if (directory.allowsUnknown) return null;
  const app = given ?? directory.app;
  const uses = stepUses({ name: flowStep!.workflow, steps })
    .map((use) => ({ ...use, app, isReference: false }))
    .filter((use) => !directory.knows(use));
  if (uses.length === 0) return null;
  return async () => {
    const now = await storage.now();
    try {
      for (const use of uses) await directory.assertKnown(use, now, storage);
      return null;
    } catch (error) {
      if (isA(error, HandlerNotFoundError) || isA(error, UnknownTaskError)) return error;
      throw error;
    }
  };
}

interface Planned {
  steps: PlannedStep[];
  joined: { parent: string; child: string; data: boolean }[];
}

function plannedSteps(
  steps: readonly AddedStep[],
  run: ClaimedRun,
  { added: before = [] }: StepEnd,
): Planned {
  const { workflow, name: by } = run.flowStep!;
  if (!Array.isArray(steps)) {
    throw new InvalidOptionError(
      'context.addSteps()',
      `takes a list of steps, but was given ${described(steps)}.`,
    );
  }
  if (before.length + steps.length > maxChildren) {
    throw new InvalidWorkflowError(workflow, by, `it adds more than ${maxChildren} steps.`);
  }
  const joined: Planned['joined'] = [];
  const planned = steps.map((given, i) => {
    const label = typeof given?.name === 'string' ? given.name : `#${i + 1} that "${by}" adds`;
    return naming(workflow, label, () => {
      const { before: children, ...step } = given;
      const plan = plannedStep(workflow, step);
      for (const child of childrenOf(children)) joined.push({ parent: plan.name, child, data: true });
      return plan;
    });
  });
  return { steps: planned, joined };
}

function endOf(
  { steps, joined }: Planned,
  run: ClaimedRun,
  { added: before = [], joined: joinedBefore = [] }: StepEnd,
): CheckedSteps['end'] {
  const { queue, priority, flowStep } = run;
  const { workflow, name: by } = flowStep!;
  const added = flowSteps(steps, { queue, priority });
  let edges = joinedBefore.length + joined.length;
  for (const { after } of before) edges += after.length;
  for (const { after } of added) edges += after.length;
  if (edges > maxEdges) {
    throw new InvalidWorkflowError(
      workflow,
      by,
      `the steps that it adds have more than ${maxEdges} edges, in "after" and "before". Where many steps wait for the same many, put one between.`,
    );
  }
  assertNew(workflow, by, addedBefore(run, before), added, joined);
  return { added, joined };
}

/** Where names are among the steps that an attempt has added, and where they are first waited for. What was rolled back since may be in there, too, and is not at that place any more: nobody has to go through all of them with each call. */
interface Places {
  added: Map<string, number>;
  awaited: Map<string, number>;
}

const placesOf = new WeakMap<ClaimedRun, Places>();

/** What an attempt has added before. */
interface AddedBefore {
  places: Places;
  steps: NonNullable<StepEnd['added']>;
}

function addedBefore(run: ClaimedRun, steps: NonNullable<StepEnd['added']>): AddedBefore {
  const places = placesOf.get(run) ?? { added: new Map(), awaited: new Map() };
  placesOf.set(run, places);
  return { places, steps };
}

function isAdded({ places, steps }: AddedBefore, name: string): boolean {
  return steps[places.added.get(name) ?? -1]?.name === name;
}

function isAwaited({ places, steps }: AddedBefore, name: string): boolean {
  return steps[places.awaited.get(name) ?? -1]?.after.some(({ parent }) => parent === name) === true;
}

function note({ places, steps }: AddedBefore, added: NonNullable<StepEnd['added']>): void {
  for (const [nth, { name, after }] of added.entries()) {
    const place = steps.length + nth;
    places.added.set(name, place);
    for (const { parent } of after) {
      if (!isAwaited({ places, steps }, parent)) places.awaited.set(parent, place);
    }
  }
}

function childrenOf(before: AddedStep['before']): string[] {
  if (before === undefined) return [];
  const given: readonly unknown[] = typeof before === 'string' ? [before] : before;
  if (!Array.isArray(given)) {
    throw new InvalidOptionError(
      'before',
      `must be the name of a step, or a list of names, but is ${described(before)}.`,
    );
  }
  return [...new Set(given.map((name) => stepName(name)))];
}

function assertNew(
  workflow: string,
  by: string,
  before: AddedBefore,
  added: NonNullable<StepEnd['added']>,
  joined: NonNullable<StepEnd['joined']>,
): void {
  const names = new Set<string>([by]);
  for (const { name } of added) {
    if (names.has(name) || isAdded(before, name)) {
      throw new InvalidWorkflowError(
        workflow,
        name,
        name === by
          ? 'the step that adds it has this name. Give it another.'
          : 'it is added twice. Give one of them another name.',
      );
    }
    names.add(name);
  }
  const inner = joined.find(({ child }) => names.has(child) || isAdded(before, child));
  if (inner !== undefined) {
    throw new InvalidWorkflowError(
      workflow,
      inner.parent,
      `before names "${inner.child}", which is ${inner.child === by ? 'the step that adds it' : 'added as well: name this one in its "after"'}.`,
    );
  }
  // Only where an earlier one waits for one of these may they be in one cycle.
  const isMixed = added.some(({ name }) => isAwaited(before, name));
  const concerned = isMixed ? [...before.steps, ...added] : added;
  if (isMixed) for (const { name } of before.steps) names.add(name);
  const cycle = cycleAmong(
    concerned.map(({ name, after }) => ({
      name,
      parents: after.map(({ parent }) => parent).filter((parent) => parent !== by && names.has(parent)),
    })),
  );
  note(before, added);
  if (cycle === null) return;
  throw new InvalidWorkflowError(
    workflow,
    cycle[0]!,
    `it waits for itself: ${cycle.map((name) => `"${name}"`).join(' → ')}. Take one of these out of "after".`,
  );
}

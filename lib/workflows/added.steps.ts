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
  { queue, priority, flowStep }: ClaimedRun,
  { added: before = [], joined: joinedBefore = [] }: StepEnd,
): CheckedSteps['end'] {
  const { workflow, name: by } = flowStep!;
  const added = flowSteps(steps, { queue, priority });
  const edges = [...before, ...added].reduce((sum, { after }) => sum + after.length, joinedBefore.length);
  if (edges + joined.length > maxEdges) {
    throw new InvalidWorkflowError(
      workflow,
      by,
      `the steps that it adds have more than ${maxEdges} edges, in "after" and "before". Where many steps wait for the same many, put one between.`,
    );
  }
  assertNew(workflow, by, [...before, ...added], joined);
  return { added, joined };
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
  added: NonNullable<StepEnd['added']>,
  joined: NonNullable<StepEnd['joined']>,
): void {
  const names = new Set<string>([by]);
  for (const { name } of added) {
    if (names.has(name)) {
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
  const inner = joined.find(({ child }) => names.has(child));
  if (inner !== undefined) {
    throw new InvalidWorkflowError(
      workflow,
      inner.parent,
      `before names "${inner.child}", which is ${inner.child === by ? 'the step that adds it' : 'added as well: name this one in its "after"'}.`,
    );
  }
  const cycle = cycleAmong(
    added.map(({ name, after }) => ({
      name,
      parents: after.map(({ parent }) => parent).filter((parent) => parent !== by && names.has(parent)),
    })),
  );
  if (cycle === null) return;
  throw new InvalidWorkflowError(
    workflow,
    cycle[0]!,
    `it waits for itself: ${cycle.map((name) => `"${name}"`).join(' → ')}. Take one of these out of "after".`,
  );
}

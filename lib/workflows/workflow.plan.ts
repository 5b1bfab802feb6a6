import { ChronisError, InvalidWorkflowError } from '../model/errors.js';
import { nearestName } from '../model/nearest.name.js';
import type { WorkflowDefinition } from '../model/workflow.js';
import { described, knownOptions, lineOfText } from '../scheduler/option.checks.js';
import { parseDuration } from '../triggers/duration.js';
import { plannedStep, type PlannedStep } from './planned.step.js';
import { cycleAmong } from '../model/step.cycle.js';
import { maxChildren, maxEdges, maxWorkflowName } from './workflow.limits.js';

/** A workflow that can be opened: its definition, checked, with all that it leaves out. */
export interface WorkflowPlan {
  name: string;
  /** Of the whole; null: for ever. */
  timeoutMs: number | null;
  steps: readonly PlannedStep[];
}

/** Throws InvalidWorkflowError, which names the step and the fix. */
export function planOf(definition: WorkflowDefinition): WorkflowPlan {
  const name = workflowName(definition?.name);
  const within = <T>(step: string | null, read: () => T): T => naming(name, step, read);
  const { steps: given, timeout = null } = within(null, () =>
    knownOptions(definition, ['name', 'steps', 'timeout'], 'a workflow'),
  ) as unknown as WorkflowDefinition;
  const timeoutMs = within(null, () => (timeout === null ? null : parseDuration(timeout, 'timeout')));
  if (!Array.isArray(given)) {
    throw new InvalidWorkflowError(name, null, `steps must be a list, but is ${described(given)}.`);
  }
  const steps = given.map((step, i) => within(labelOf(step, i), () => plannedStep(name, step)));
  assertGraph(name, steps);
  return { name, timeoutMs, steps };
}

/** The handlers that its steps call, each by the first that does. */
export function stepUses({
  name,
  steps,
}: Pick<WorkflowPlan, 'name' | 'steps'>): { step: string; handler: string; usedBy: string }[] {
  const called = new Set<string>();
  return steps.flatMap(({ name: step, handler, kind }) => {
    if (kind === 'manual' || called.has(handler)) return [];
    called.add(handler);
    return [{ step, handler, usedBy: `The workflow "${name}", step "${step}"` }];
  });
}

/** A name that a workflow may have. Throws InvalidWorkflowError. */
export function workflowName(given: unknown): string {
  return naming(described(given), null, () => lineOfText(given, 'name', maxWorkflowName));
}

/** What it throws names the workflow and the step. */
export function naming<T>(workflow: string, step: string | null, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ChronisError) || cause instanceof InvalidWorkflowError) throw cause;
    throw new InvalidWorkflowError(workflow, step, cause.message, { cause });
  }
}

/** What several steps have to agree on. Throws InvalidWorkflowError. */
export function assertGraph(workflow: string, steps: readonly PlannedStep[]): void {
  const names = new Set<string>();
  for (const { name } of steps) {
    if (names.has(name)) {
      throw new InvalidWorkflowError(workflow, name, 'another step has this name. Give one of them another.');
    }
    names.add(name);
  }
  for (const step of steps) assertParents(workflow, step, names);
  assertBounds(workflow, steps);
  const cycle = cycleAmong(
    steps.map(({ name, after }) => ({ name, parents: after.map(({ parent }) => parent) })),
  );
  if (cycle !== null) {
    const path = cycle.map((name) => `"${name}"`).join(' → ');
    throw new InvalidWorkflowError(
      workflow,
      cycle[0]!,
      `it waits for itself: ${path}. Take one of these out of "after".`,
    );
  }
}

function assertParents(workflow: string, { name, after }: PlannedStep, names: ReadonlySet<string>): void {
  for (const { parent } of after) {
    if (parent !== name && names.has(parent)) continue;
    const meant = nearestName(
      parent,
      [...names].filter((each) => each !== name),
    );
    const problem = parent === name ? 'which is the step itself' : 'which is no step of the workflow';
    const hint = meant === null ? 'Name one that is.' : `Did you mean "${meant}"?`;
    throw new InvalidWorkflowError(workflow, name, `after names "${parent}", ${problem}. ${hint}`);
  }
}

function assertBounds(workflow: string, steps: readonly PlannedStep[]): void {
  const children = new Map<string | null, number>();
  let edges = 0;
  for (const { name, after } of steps) {
    edges += after.length;
    for (const parent of after.length === 0 ? [null] : after.map((edge) => edge.parent)) {
      const count = (children.get(parent) ?? 0) + 1;
      children.set(parent, count);
      if (count <= maxChildren) continue;
      const who = parent === null ? 'the workflow begins with' : 'it has';
      throw new InvalidWorkflowError(
        workflow,
        parent,
        `${who} more than ${maxChildren} steps, "${name}" among them. Put steps between that each have some of them after it, or use map.`,
      );
    }
    if (edges > maxEdges) {
      throw new InvalidWorkflowError(
        workflow,
        name,
        `with its parents there are more than ${maxEdges} edges. Where many steps wait for the same many, put one between: they wait for it, and it for these.`,
      );
    }
  }
}

/** For messages, before it is known to have a name. */
function labelOf(step: unknown, i: number): string {
  const { name } = (step ?? {}) as { name?: unknown };
  return typeof name === 'string' && name !== '' ? name : `#${i + 1}`;
}

import { keyOfStep, storedFields, type StoredFlow, type StoredStep } from '../memory/flow.snapshot.js';
import type { FlowRow, FlowStepRow } from '../memory/flow.rows.js';

/** Steps have rows of their own, as each is changed alone. */
export type FlowHead = Omit<StoredFlow, 'steps'>;

/** Names hold no NUL. */
export function flowStepKey({ flow, definition, nth }: FlowStepRow): string {
  const key = `${flow.runId}\0${definition.name}`;
  return nth === null ? key : instanceKey(key, nth);
}

export const instanceKey = (mapKey: string, nth: number): string => `${mapKey}\0${nth}`;

/** Without its instances, which have rows of their own: there may be ten thousand, and it changes with the end of each. */
export function storedFlowStep(step: FlowStepRow): StoredStep {
  return { ...storedFields(step), instances: [] };
}

export function storedFlowHead(flow: FlowRow): FlowHead {
  const { steps: _, ...head } = flow;
  return { ...head, stepOf: keyOfStep(flow.stepOf) };
}

/** Flows with their steps again, these in the order in which they were stored. */
export function joinFlows(
  heads: Iterable<FlowHead>,
  steps: Iterable<[key: string | number, step: StoredStep]>,
): StoredFlow[] {
  const byFlow = new Map<string, StoredFlow>();
  for (const head of heads) byFlow.set(head.runId, { ...head, steps: [] });
  const all = Array.from(steps, ([key, step]) => ({ runId: String(key).split('\0')[0], step }));
  const whole = all.filter(({ step }) => step.nth === null);
  const maps = new Map<string, StoredStep>();
  for (const { runId, step } of whole.sort((a, b) => a.step.position - b.step.position)) {
    const own = { ...step, instances: [] };
    byFlow.get(runId)?.steps.push(own);
    maps.set(`${runId}\0${step.definition.name}`, own);
  }
  const instances = all.filter(({ step }) => step.nth !== null);
  for (const { runId, step } of instances.sort((a, b) => a.step.nth! - b.step.nth!)) {
    maps.get(`${runId}\0${step.definition.name}`)?.instances.push({ ...step, instances: [] });
  }
  return [...byFlow.values()];
}

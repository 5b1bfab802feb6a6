import type { FlowRow, FlowStepRow } from './flow.rows.js';

/** Which step of which flow, or which instance of it. */
export interface StepKey {
  flow: string;
  name: string;
  nth: number | null;
}

export interface StoredStep extends Omit<FlowStepRow, 'flow' | 'instances'> {
  instances: StoredStep[];
}

export interface StoredFlow extends Omit<FlowRow, 'stepOf' | 'steps'> {
  stepOf: StepKey | null;
  steps: StoredStep[];
}

export function keyOfStep(step: FlowStepRow | null): StepKey | null {
  return step && { flow: step.flow.runId, name: step.definition.name, nth: step.nth };
}

/** Null: it is not there. */
export function stepAt(
  flows: ReadonlyMap<string, FlowRow>,
  key: StepKey | null | undefined,
): FlowStepRow | null {
  const step = key && flows.get(key.flow)?.steps.get(key.name);
  return (key?.nth == null ? step : step?.instances[key.nth]) ?? null;
}

export function storedFlow(flow: FlowRow): StoredFlow {
  return { ...flow, stepOf: keyOfStep(flow.stepOf), steps: [...flow.steps.values()].map(storedStep) };
}

/** Puts flows back into their table. */
export function restoreFlows(flows: Map<string, FlowRow>, stored: readonly StoredFlow[]): void {
  for (const row of stored) {
    const flow: FlowRow = { ...row, stepOf: null, steps: new Map() };
    flows.set(flow.runId, flow);
    for (const step of row.steps) flow.steps.set(step.definition.name, stepRow(flow, step));
  }
  for (const { runId, stepOf } of stored) flows.get(runId)!.stepOf = stepAt(flows, stepOf);
}

function storedStep(step: FlowStepRow): StoredStep {
  const { flow: _, instances, ...fields } = step;
  return { ...fields, instances: instances.map(storedStep) };
}

function stepRow(flow: FlowRow, { instances, ...fields }: StoredStep): FlowStepRow {
  return { ...fields, flow, instances: instances.map((each) => stepRow(flow, each)) };
}

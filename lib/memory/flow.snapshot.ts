import type { FlowRow, FlowStepRow } from './flow.rows.js';
import type { MemoryTables } from './tables.js';

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
export function restoreFlows(tables: MemoryTables, stored: readonly StoredFlow[]): void {
  const { flows } = tables;
  for (const row of stored) {
    const flow = tables.own<FlowRow>('flows', { ...row, stepOf: null, steps: new Map() });
    flows.set(flow.runId, flow);
    for (const step of row.steps) flow.steps.set(step.definition.name, stepRow(tables, flow, step));
  }
  for (const { runId, stepOf } of stored) flows.get(runId)!.stepOf = stepAt(flows, stepOf);
}

export function storedStep(step: FlowStepRow): StoredStep {
  return { ...storedFields(step), instances: step.instances.map(storedStep) };
}

export function storedFields(step: FlowStepRow): Omit<StoredStep, 'instances'> {
  const { flow: _, instances: __, ...fields } = step;
  return fields;
}

function stepRow(tables: MemoryTables, flow: FlowRow, { instances, ...fields }: StoredStep): FlowStepRow {
  const rows = instances.map((each) => stepRow(tables, flow, each));
  return tables.own<FlowStepRow>('flowSteps', { ...fields, flow, instances: rows });
}

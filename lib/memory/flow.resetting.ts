import { letGoOfRun } from './flow.opening.js';
import { countParent, hasEnded, hasEndedWell, type FlowRow, type FlowStepRow } from './flow.rows.js';
import type { MemoryTables } from './tables.js';

/** A map that keeps those of its instances that have ended well. */
export function isHalfDone(step: FlowStepRow): boolean {
  return step.instances.length > 0 && !hasEndedWell(step);
}

/** All that comes after these, or was added by what runs again. */
export function waitingAgain(flow: FlowRow, chosen: readonly FlowStepRow[]): Set<FlowStepRow> {
  const addedBy = new Map<string, FlowStepRow[]>();
  for (const step of flow.steps.values()) {
    if (step.addedBy === null) continue;
    const others = addedBy.get(step.addedBy);
    if (others) others.push(step);
    else addedBy.set(step.addedBy, [step]);
  }
  const waiting = new Set<FlowStepRow>();
  const work = [...chosen];
  for (const step of work) {
    // What has ended well of a map does not add anything again.
    const added = isHalfDone(step) && !waiting.has(step) ? [] : (addedBy.get(step.definition.name) ?? []);
    const children = step.children.map((name) => flow.steps.get(name)!);
    for (const next of [...children, ...added]) {
      if (waiting.has(next)) continue;
      waiting.add(next);
      work.push(next);
    }
  }
  return waiting;
}

/** Takes away what was added by steps that run again, as these add it again, and what was added after that. Returns which. */
export function dropAdded(
  tables: MemoryTables,
  flow: FlowRow,
  chosen: readonly FlowStepRow[],
  waiting: ReadonlySet<FlowStepRow>,
): Set<FlowStepRow> {
  const anew = new Set(waiting);
  for (const step of chosen) if (!isHalfDone(step)) anew.add(step);
  const names = new Set([...anew].map(({ definition }) => definition.name));
  const dropped = new Set<FlowStepRow>();
  const drop = (step: FlowStepRow): void => {
    if (step.addedBy !== null) dropped.add(step);
  };
  for (const step of flow.steps.values()) if (names.has(step.addedBy!)) drop(step);
  for (const step of dropped) for (const name of step.children) drop(flow.steps.get(name)!);
  for (const step of dropped) remove(tables, flow, step);
  return dropped;
}

/** To be as before it was released; what still runs of it goes on alone. */
export function resetStep(tables: MemoryTables, step: FlowStepRow): void {
  letGoOfRun(tables, step.runId);
  for (const { runId } of step.instances) letGoOfRun(tables, runId);
  step.state = 'waiting';
  step.runId = null;
  step.releasedAt = null;
  step.endedAt = null;
  step.reason = null;
  step.result = null;
  step.instances = [];
  step.going = 0;
}

export function recount(step: FlowStepRow): void {
  const { flow, after } = step;
  Object.assign(step, { ok: 0, bad: 0, skips: 0 });
  for (const { parent } of after) {
    const row = flow.steps.get(parent)!;
    if (hasEnded(row)) countParent(step, row);
  }
}

/** What waits for it by an edge that was added waits no more. */
function remove(tables: MemoryTables, flow: FlowRow, step: FlowStepRow): void {
  resetStep(tables, step);
  const { name } = step.definition;
  flow.steps.delete(name);
  tables.note('flows', flow);
  for (const { parent } of step.after) {
    const children = flow.steps.get(parent)?.children;
    children?.splice(children.indexOf(name), 1);
  }
  for (const child of step.children) {
    const row = flow.steps.get(child);
    if (!row) continue;
    row.after.splice(
      row.after.findIndex(({ parent }) => parent === name),
      1,
    );
    row.need--;
  }
}

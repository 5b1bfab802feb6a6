import type { RunningStep } from '../ports/flows.js';
import { isWithin } from '../ports/step.place.js';
import type { OrphanedStep } from '../ports/retry.refusals.js';
import { letGoOfRun } from './flow.opening.js';
import {
  allSteps,
  countParent,
  hasEnded,
  hasEndedWell,
  placeOf,
  type FlowRow,
  type FlowStepRow,
} from './flow.rows.js';
import type { MemoryTables } from './tables.js';

/** The steps of a flow that is over, and instances, that have ended well. What its end from outside has cut off has not, though it may fail: what was cancelled by that, and maps of which an instance was. */
export function doneOf(flow: FlowRow): ReadonlySet<FlowStepRow> {
  const cutOffFrom = flow.ending?.at ?? Infinity;
  const isCutOff = ({ state, releasedAt, endedAt }: FlowStepRow): boolean =>
    state === 'cancelled' && (releasedAt === null || endedAt! >= cutOffFrom);
  return new Set(
    [...allSteps(flow)].filter(
      (step) => hasEndedWell(step) && !isCutOff(step) && !step.instances.some(isCutOff),
    ),
  );
}

/** A map that keeps those of its instances that have ended well. */
export function isHalfDone(step: FlowStepRow, done: ReadonlySet<FlowStepRow>): boolean {
  return step.instances.length > 0 && !done.has(step);
}

/** What becomes of steps when some run again. The rest stays as it is. */
export interface RetryPlan {
  /** What has ended well by now, see `doneOf`. */
  done: ReadonlySet<FlowStepRow>;
  /** Added by what runs again, which will add it again. */
  dropped: Set<FlowStepRow>;
  /** After what runs again: to be as before they were released. */
  waiting: FlowStepRow[];
  /** Have not ended well, and begin as soon as their parents let them, where they were. */
  behind: FlowStepRow[];
  /** Begin at once; what had not ended well where it was. */
  again: FlowStepRow[];
  /** Which have parents that run again. */
  recounted: Iterable<FlowStepRow>;
  /** Those of them that are named: they wait for such parents alone. */
  named: ReadonlySet<FlowStepRow>;
  /** Who adds steps again before which others are that stay: these wait for who does until then. */
  edges: { parent: FlowStepRow; child: FlowStepRow }[];
  /** What stays, and comes after what goes: in vain. */
  orphaned: OrphanedStep[];
}

/** All that has been released, or cancelled before that, and not ended well runs again, and nothing else. What of it has added steps has ended well of a map, and does not run again. */
export function planRetryOfBad({ steps }: FlowRow, done: ReadonlySet<FlowStepRow>): RetryPlan {
  const bad = [...steps.values()].filter((step) => step.state !== 'waiting' && !done.has(step));
  const mayBegin = (step: FlowStepRow): boolean =>
    (step.runId !== null || step.instances.length > 0) &&
    step.after.every(({ parent }) => done.has(steps.get(parent)!));
  const again = bad.filter(mayBegin);
  const atOnce = new Set(again);
  const behind = bad.filter((step) => !atOnce.has(step));
  const children = bad.flatMap((step) => step.children.map((name) => steps.get(name)!));
  const recounted = new Set([...behind, ...children]);
  return {
    done,
    dropped: new Set(),
    waiting: [],
    behind,
    again,
    recounted,
    named: new Set(),
    edges: [],
    orphaned: [],
  };
}

/** Steps that are named run again, with all that comes after them. */
export function planRetry(
  flow: FlowRow,
  chosen: readonly FlowStepRow[],
  done: ReadonlySet<FlowStepRow>,
): RetryPlan {
  const after = waitingAgain(flow, chosen, done);
  const dropped = addedAgain(flow, chosen, after, done);
  const waiting = [...after].filter((step) => !dropped.has(step));
  return {
    done,
    dropped,
    waiting,
    behind: [],
    recounted: waiting,
    named: new Set(chosen.filter((step) => after.has(step))),
    again: chosen.filter((step) => !after.has(step) && !dropped.has(step)),
    ...behindDropped(flow, dropped),
  };
}

function behindDropped(
  { steps }: FlowRow,
  dropped: ReadonlySet<FlowStepRow>,
): Pick<RetryPlan, 'edges' | 'orphaned'> {
  const edges: RetryPlan['edges'] = [];
  const orphaned: OrphanedStep[] = [];
  const adders = new Map<FlowStepRow, Set<FlowStepRow>>();
  for (const gone of dropped) {
    let parent = steps.get(gone.addedBy!)!;
    while (dropped.has(parent)) parent = steps.get(parent.addedBy!)!;
    for (const each of gone.children) {
      const child = steps.get(each)!;
      if (dropped.has(child)) continue;
      const { name } = child.definition;
      // An edge to a step that was there before is one that is added with its parent.
      if (child.position > gone.position) {
        const [after, addedAgainBy] = [gone.definition.name, parent.definition.name];
        orphaned.push({ name, addedBy: child.addedBy!, after, addedAgainBy });
        continue;
      }
      const known = adders.get(child) ?? new Set(child.after.map((edge) => steps.get(edge.parent)!));
      adders.set(child, known);
      if (!known.has(parent)) edges.push({ parent, child });
      known.add(parent);
    }
  }
  return { edges, orphaned };
}

/** All that comes after these, or was added by what runs again. */
function waitingAgain(
  flow: FlowRow,
  chosen: readonly FlowStepRow[],
  done: ReadonlySet<FlowStepRow>,
): Set<FlowStepRow> {
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
    const added =
      isHalfDone(step, done) && !waiting.has(step) ? [] : (addedBy.get(step.definition.name) ?? []);
    const children = step.children.map((name) => flow.steps.get(name)!);
    for (const next of [...children, ...added]) {
      if (waiting.has(next)) continue;
      waiting.add(next);
      work.push(next);
    }
  }
  return waiting;
}

/** What was added by steps that run again, as these add it again. */
function addedAgain(
  flow: FlowRow,
  chosen: readonly FlowStepRow[],
  waiting: ReadonlySet<FlowStepRow>,
  done: ReadonlySet<FlowStepRow>,
): Set<FlowStepRow> {
  const anew = new Set(waiting);
  for (const step of chosen) if (!isHalfDone(step, done)) anew.add(step);
  const names = new Set([...anew].map(({ definition }) => definition.name));
  return new Set([...flow.steps.values()].filter(({ addedBy }) => names.has(addedBy!)));
}

/** The steps that workers have in their hands of all that would run again, or go, or may begin by that, and of the workflows that these are. */
export function runningOf(
  tables: MemoryTables,
  flow: FlowRow,
  { dropped, waiting, behind, again, done }: RetryPlan,
  givenUp: readonly string[],
): RunningStep[] {
  const blocked = [...flow.steps.values()].filter(({ state }) => state === 'waiting');
  const anew = [...dropped, ...waiting, ...blocked].flatMap((step) => [step, ...step.instances]);
  for (const step of [...behind, ...again]) {
    const isHalf = isHalfDone(step, done);
    anew.push(step, ...step.instances.filter((each) => !isHalf || !done.has(each)));
  }
  return runningAmong(tables, new Set(anew), givenUp);
}

/** See `FlowStorage.queryRunningSteps`. */
export function runningSteps(
  tables: MemoryTables,
  runId: string,
  givenUp: readonly string[] = [],
): RunningStep[] {
  const flow = tables.flows.get(runId);
  return flow ? runningAmong(tables, allSteps(flow), givenUp) : [];
}

function runningAmong(
  tables: MemoryTables,
  steps: Iterable<FlowStepRow>,
  givenUp: readonly string[],
): RunningStep[] {
  const running = [...steps].flatMap((step) => runningIn(tables, step, givenUp));
  // Each place once, with the newest flow that has it, and the innermost that is known.
  const newest = new Map<string, RunningAt>();
  for (const each of running) {
    const other = newest.get(each.place);
    if (!other || Number(each.step.flowRunId) > Number(other.step.flowRunId)) newest.set(each.place, each);
  }
  const all = [...newest.values()];
  return all
    .filter(({ itself, place }) => itself || !all.some((other) => isWithin(other.place, place)))
    .map(({ step }) => step);
}

interface RunningAt {
  step: RunningStep;
  place: string;
  /** It runs itself; else something in it does, of an earlier run. */
  itself: boolean;
}

function runningIn(tables: MemoryTables, step: FlowStepRow, givenUp: readonly string[]): RunningAt[] {
  const { flow, runId, nth, definition } = step;
  const place = placeOf(step);
  const run = runId === null ? undefined : tables.runs.get(runId);
  const isInHands = step.state === 'released' && run !== undefined && run.worker !== null;
  const itself = isInHands || givenUp.includes(place);
  const told = { name: definition.name, nth, flowRunId: flow.runId, workflow: flow.workflow };
  const within = flowsOf(tables, step, givenUp).flatMap((inner) =>
    [...allSteps(inner)].flatMap((each) => runningIn(tables, each, givenUp)),
  );
  const isRunning = itself || givenUp.some((given) => isWithin(given, place));
  return isRunning ? [{ step: told, place, itself }, ...within] : within;
}

/** The workflow that its run is, and those that earlier ones were: looked for where something was given up. */
function flowsOf({ flows }: MemoryTables, step: FlowStepRow, givenUp: readonly string[]): FlowRow[] {
  if (givenUp.length > 0) return [...flows.values()].filter(({ stepOf }) => stepOf === step);
  const flow = step.runId === null ? undefined : flows.get(step.runId);
  return flow?.stepOf === step ? [flow] : [];
}

/** To be as before it was released. */
export function resetStep(tables: MemoryTables, step: FlowStepRow): void {
  for (const { runId } of step.instances) letGoOfRun(tables, runId);
  wait(tables, step);
  step.runId = null;
  step.instances = [];
  step.going = 0;
}

/** To wait, and to go on where its run was, or the runs of its instances that have not ended well: these wait with it. */
export function setBack(tables: MemoryTables, step: FlowStepRow, done: ReadonlySet<FlowStepRow>): void {
  wait(tables, step);
  const bad = step.instances.filter((each) => !done.has(each));
  for (const instance of bad) wait(tables, instance);
  step.going = bad.length;
}

function wait(tables: MemoryTables, step: FlowStepRow): void {
  letGoOfRun(tables, step.runId);
  step.state = 'waiting';
  step.releasedAt = null;
  step.endedAt = null;
  step.reason = null;
  step.result = null;
}

/** `anew`: of a step that is named the parents that run again; the others do not count against it. Null: it is not named. */
export function recount(step: FlowStepRow, anew: ReadonlySet<FlowStepRow> | null): void {
  const { flow, after } = step;
  Object.assign(step, { ok: 0, bad: 0, skips: 0 });
  for (const { parent } of after) {
    const row = flow.steps.get(parent)!;
    if (anew !== null && !anew.has(row)) step.ok++;
    else if (hasEnded(row)) countParent(step, row);
  }
}

/** As if it had never been added: what waits for it by an edge that was added waits no more. */
export function removeStep(tables: MemoryTables, flow: FlowRow, step: FlowStepRow): void {
  resetStep(tables, step);
  const { name } = step.definition;
  flow.steps.delete(name);
  tables.note('flows', flow);
  for (const { parent } of step.after) {
    const children = flow.steps.get(parent)?.children;
    if (children === undefined) continue;
    children.splice(children.indexOf(name), 1);
    tables.note('flowSteps', flow.steps.get(parent)!);
  }
  for (const child of step.children) {
    const row = flow.steps.get(child);
    if (!row) continue;
    row.after.splice(
      row.after.findIndex(({ parent }) => parent === name),
      1,
    );
    row.need--;
    tables.note('flowSteps', row);
  }
}

/** One more that it needs, whose result is not asked for. */
export function addEdge(tables: MemoryTables, parent: FlowStepRow, child: FlowStepRow): void {
  parent.children.push(child.definition.name);
  child.after.push({ parent: parent.definition.name, data: false });
  child.need++;
  tables.note('flowSteps', parent);
  tables.note('flowSteps', child);
}

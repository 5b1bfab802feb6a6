import type { JsonValue } from '../model/json.js';
import type { RunState } from '../model/run.js';
import type { RunVerdict } from '../model/verdict.js';
import type { Otherwise } from '../model/workflow.js';
import type { Flow, FlowStep, FlowStepState } from '../ports/flows.js';

/** `waiting`: its run has not begun · `active`: it goes on · `paused` · else its verdict. @publicApi */
export type WorkflowState = 'waiting' | 'active' | 'paused' | RunVerdict;

/** A workflow that was started: plain data, a snapshot. @publicApi */
export interface WorkflowRun {
  /** The id of the run that it is. */
  runId: string;
  workflow: string;
  /** Of its definition; null: it has none. */
  version: number | null;
  namespace: string;
  params: JsonValue;
  state: WorkflowState;
  /** What its run ends as once none of its steps is in the hands of a worker, as was decided by a cancel, a timeout, `scheduler.complete` or `fail`; null: nothing was, or it is over. */
  ending: RunVerdict | null;
  /** null: its run has not begun. */
  openedAt: Date | null;
  endedAt: Date | null;
  /** null: it is not paused. */
  pausedAt: Date | null;
  /** The run of which its run is a retry by hand. */
  retryOf: string | null;
  /** How many steps are in which state, instances of maps included; states without steps are left out. */
  counts: Partial<Record<FlowStepState, number>>;
}

/** A parent of a step, as `graph` shows it. @publicApi */
export interface GraphParent {
  step: string;
  /** It is only waited for. */
  order: boolean;
  state: FlowStepState;
}

/** A step of a workflow that was started, as `graph` shows it: a map is one, and each of its instances is another, with `nth`. @publicApi */
export interface GraphStep {
  name: string;
  /** Which item of a map, from 0; null: it is none. */
  nth: number | null;
  state: FlowStepState;
  after: GraphParent[];
  /** How many of its parents have to end well. */
  need: number;
  otherwise: Otherwise;
  map: boolean;
  manual: boolean;
  allowFailure: boolean;
  /** Of a manual step the one that ends it at its deadline, which every worker has. */
  handler: string;
  /** Its latest run; null: it has had none, or waits again after a retry. */
  runId: string | null;
  /** What its run does, where the step is `released`; null: it has none, or there were too many to ask for. */
  runState: RunState | null;
  /** Why it does not go on, or that the end of the workflow waits for it; null: it does, or it has ended. */
  waitsFor: string | null;
  releasedAt: Date | null;
  endedAt: Date | null;
  /** Of a skipped step its reason; of one that failed its error; of a workflow that has succeeded why its result was not kept. */
  reason: string | null;
}

/** A workflow with its steps, in the order in which they were given. @publicApi */
export interface WorkflowGraph extends WorkflowRun {
  steps: GraphStep[];
}

export function viewOf(flow: Flow): WorkflowRun {
  const { runId, workflow, version, namespace, params, retryOf, counts } = flow;
  const going = flow.pausedAt === null ? 'active' : 'paused';
  return {
    ...{ runId, workflow, version, namespace, params },
    state: flow.verdict ?? going,
    ending: flow.ending,
    openedAt: new Date(flow.openedAt),
    endedAt: dateOf(flow.endedAt),
    pausedAt: dateOf(flow.pausedAt),
    ...{ retryOf, counts },
  };
}

/** The run of a step that is released. */
export interface StepRun {
  state: RunState;
  dueAt: Date | null;
  /** Why it does not begin, where it waits or is paused; null: it does, or is paused by its workflow alone. */
  why: string | null;
  /** The workflow that it is; null: it is none. */
  flow: Pick<WorkflowRun, 'state' | 'ending'> | null;
}

/** What a step needs to know of its workflow. */
interface Whole extends Pick<WorkflowRun, 'ending'> {
  isPaused: boolean;
}

/** What a step needs to know of one that it comes after. */
type Parent = Pick<FlowStep, 'state' | 'allowFailure'>;

/** `parents`: the steps of the workflow that are no instances, by name · `run`: null: it has none, or was not asked for; `'gone'`: it should have one. */
export function graphStep(
  step: FlowStep,
  parents: ReadonlyMap<string, Parent>,
  run: StepRun | 'gone' | null,
  whole: Whole,
): GraphStep {
  const { name, nth, state, need, otherwise, map, allowFailure, handler, runId, reason } = step;
  const after = step.after.map(({ parent, data }) => ({
    step: parent,
    order: !data,
    state: parents.get(parent)?.state ?? 'waiting',
  }));
  return {
    ...{ name, nth, state, after, need, otherwise, map },
    manual: step.kind === 'manual',
    ...{ allowFailure, handler, runId },
    runState: run === null || run === 'gone' ? null : run.state,
    waitsFor: waitsFor(step, after, parents, run, whole),
    releasedAt: dateOf(step.releasedAt),
    endedAt: dateOf(step.endedAt),
    reason,
  };
}

function waitsFor(
  { state, need, ok, kind, nth }: FlowStep,
  after: readonly GraphParent[],
  parents: ReadonlyMap<string, Parent>,
  run: StepRun | 'gone' | null,
  whole: Whole,
): string | null {
  if (state === 'released' && run === 'gone') {
    return 'Its run is gone, as if deleted by hand. It ends as the ledger says, else as lost, when a worker next cleans up, which is each minute.';
  }
  if (state === 'released') return run === null || run === 'gone' ? null : runWaits(run, kind, whole);
  if (state !== 'waiting' && state !== 'blocked') return null;
  if (nth !== null) return 'It goes on with its map, once that may.';
  const missing = after.filter(({ step }) => !hasEndedWell(parents.get(step)));
  const named = missing.map((parent) => `"${parent.step}" (${parent.state})`).join(', ');
  // One that was skipped is as if it were not there.
  const skipped = after.filter((parent) => parent.state === 'skipped').length;
  const needed = Math.min(need, after.length - skipped);
  const have = `${ok - skipped} of the ${needed} that it needs have ended well`;
  // It may have begun in a run that this one retries.
  return state === 'blocked'
    ? `It is blocked, as only ${have}: ${named}. A retry of the workflow runs these again, and then this.`
    : `It waits for its parents, of which ${have}: ${named}.`;
}

/** With `allowFailure` whatever happened. */
function hasEndedWell(parent: Parent | undefined): boolean {
  if (parent === undefined || ['waiting', 'released', 'blocked'].includes(parent.state)) return false;
  return parent.state === 'succeeded' || parent.state === 'skipped' || parent.allowFailure;
}

function runWaits(
  { state, dueAt, why, flow }: StepRun,
  kind: FlowStep['kind'],
  { isPaused, ending }: Whole,
): string | null {
  const until = dueAt === null ? '' : ` until ${dueAt.toISOString()}`;
  switch (state) {
    case 'waiting':
      return why;
    case 'open':
      if (isPaused && kind === 'manual') return pausedByHand(dueAt);
      if (flow !== null) {
        if (flow.ending !== null)
          return `It is a workflow of its own, and ${flow.ending} once what still runs of it has ended.`;
        const held = flow.state === 'paused' ? ', and is paused: it goes on once that is resumed' : '';
        const most = dueAt === null ? '' : ` It may take until ${dueAt.toISOString()}.`;
        return `It is a workflow of its own${held}.${most}`;
      }
      return `It waits for complete() or fail()${until}.`;
    case 'paused':
      return why ?? 'It is paused.';
    case 'running':
      return ending === null ? null : `It still runs. The workflow is ${ending} once nothing of it does.`;
    default:
      return null;
  }
}

/** Its deadline is held as well. */
function pausedByHand(deadline: Date | null): string {
  const resumed =
    deadline === null
      ? 'what comes after it begins once that is resumed'
      : `its deadline, ${deadline.toISOString()}, holds once that is resumed`;
  return `It waits for complete() or fail(). The workflow is paused: ${resumed}.`;
}

function dateOf(at: number | null): Date | null {
  return at === null ? null : new Date(at);
}

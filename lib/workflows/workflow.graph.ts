import {
  InvalidOptionError,
  WorkflowRunNotFoundError,
  WorkflowStepNotFoundError,
  type ChronisError,
} from '../model/errors.js';
import {
  maxMapItems,
  type Flow,
  type FlowStep,
  type FlowReads,
  type FlowStepFilter,
} from '../ports/flows.js';
import type { JobStore } from '../ports/storage.adapter.js';
import { described, knownOptions, lineOfText, wholeNumber } from '../scheduler/option.checks.js';
import { stepName } from './planned.step.js';
import { surroundingsOf, whyWaiting, type Surroundings } from './step.waits.js';
import { laterRunOf } from '../scheduler/later.run.js';
import { howPruned, type WorkflowReader } from './workflow.reading.js';
import { graphStep, viewOf, type GraphStep, type StepRun, type WorkflowRun } from './workflow.views.js';

/** @publicApi */
export interface GraphOptions {
  /** Whether the instances of maps are told one by one. @default false */
  instances?: boolean;
}

/** A step of a workflow. @publicApi */
export interface StepRef {
  /** Of the run that the workflow is. */
  runId: string;
  step: string;
  /** Of an instance of a map which item, from 0. */
  nth?: number;
}

const pageSize = 1_000;
/** Of so many steps that are released their runs are asked for, one by one. */
const mostRuns = 100;

type Reader = Pick<
  JobStore,
  'flows' | 'now' | 'queryPauses' | 'queryRuns' | 'queryRunSteps' | 'queryWorkers'
>;

/** The steps of a workflow as they stand. */
export async function graphOf(
  { runId, app, pausedAt, ending }: Flow,
  instances: boolean,
  storage: Reader,
): Promise<GraphStep[]> {
  const flows = storage.flows!;
  const steps = await stepsOf(runId, instances ? {} : { instances: false }, flows);
  if (steps === null) throw new WorkflowRunNotFoundError(runId);
  const parents = new Map<string, FlowStep>();
  for (const step of steps) if (step.nth === null) parents.set(step.name, step);
  const runs = await runsOf(steps, app, storage);
  const gone = steps.filter((step) => step.runId !== null && runs.get(step.runId) === 'gone');
  // Those whose run has ended since they were read have another state by now.
  if (gone.length > 0) {
    const again = (await stepsOf(runId, { names: [...new Set(gone.map(({ name }) => name))] }, flows)) ?? [];
    const released = new Set(again.flatMap((step) => (step.state === 'released' ? step.runId : [])));
    for (const step of gone) if (!released.has(step.runId)) runs.delete(step.runId!);
  }
  return steps.map((step) => {
    const run = (step.state === 'released' && step.runId && runs.get(step.runId)) || null;
    return graphStep(step, parents, run, { isPaused: pausedAt !== null, ending });
  });
}

async function runsOf(
  steps: readonly FlowStep[],
  app: string | null,
  storage: Reader,
): Promise<Map<string, StepRun | 'gone'>> {
  const runs = new Map<string, StepRun | 'gone'>();
  const released = steps.filter(({ state, runId }) => state === 'released' && runId !== null);
  let surroundings: Surroundings | null = null;
  for (const { runId, kind } of released.slice(0, mostRuns)) {
    const [run] = (await storage.queryRuns({ runId: runId! }, { limit: 1 })).items;
    if (run === undefined) {
      runs.set(runId!, 'gone');
      continue;
    }
    const isHeld = run.state === 'waiting' || run.state === 'paused';
    if (isHeld) surroundings ??= await surroundingsOf(app, storage);
    const why = isHeld ? await whyWaiting(run, surroundings!, storage) : null;
    const inner = run.state === 'open' && kind !== 'manual' ? await storage.flows!.getFlow(runId!) : null;
    runs.set(runId!, { state: run.state, dueAt: run.dueAt, why, flow: inner && viewOf(inner) });
  }
  return runs;
}

/** The run of a step that is named; `read`: what is known of a workflow that has no steps yet. Throws WorkflowRunNotFoundError, WorkflowStepNotFoundError, InvalidOptionError. */
export async function stepRunOf(
  ref: string | StepRef,
  reader: WorkflowReader,
  read: (runId: string) => Promise<WorkflowRun | null>,
): Promise<string> {
  if (typeof ref === 'string') return lineOfText(ref, 'ref');
  if (typeof ref !== 'object' || ref === null) {
    throw new InvalidOptionError(
      'ref',
      `must be the id of a run, or { runId, step }, but is ${described(ref)}.`,
    );
  }
  const given = knownOptions(ref, ['runId', 'step', 'nth'], 'ref') as unknown as StepRef;
  const runId = lineOfText(given.runId, 'ref.runId');
  const step = stepName(given.step, 'ref.step');
  const nth = given.nth === undefined ? null : wholeNumber(given.nth, 'ref.nth', 0, maxMapItems - 1);
  const filter = { names: [step], instances: nth !== null };
  const of = (await laterRunOf(runId, reader)) ?? runId;
  const found = await stepsOf(of, filter, reader.flows!);
  if (found === null) {
    const workflow = await read(runId);
    if (workflow === null) throw new WorkflowRunNotFoundError(runId, await howPruned(runId, reader));
    throw withoutSteps(runId, step, workflow);
  }
  const named = found.find((each) => each.nth === nth);
  if (named === undefined) {
    const which = nth === null ? 'there is none of this name' : `there is no instance ${nth} of it`;
    throw new WorkflowStepNotFoundError(runId, step, `${which}. graph() lists those that there are.`);
  }
  if (named.runId === null) {
    const problem = named.map
      ? 'is a map: name one of its instances by "nth"'
      : `is ${named.state}, and has no run`;
    throw new WorkflowStepNotFoundError(runId, step, `it ${problem}.`);
  }
  return named.runId;
}

/** Of a workflow that is there by its run alone. */
function withoutSteps(runId: string, step: string, { endedAt, state }: WorkflowRun): ChronisError {
  const problem =
    endedAt === null
      ? 'the workflow has not begun, so its steps are not there yet'
      : `the workflow is ${state}`;
  return new WorkflowStepNotFoundError(runId, step, `${problem}.`);
}

/** Null: there is no such workflow, or it has not begun. */
async function stepsOf(runId: string, filter: FlowStepFilter, flows: FlowReads): Promise<FlowStep[] | null> {
  const steps: FlowStep[] = [];
  let cursor: string | null = null;
  do {
    const page = { limit: pageSize, ...(cursor === null ? {} : { cursor }) };
    const found = await flows.queryFlowSteps(runId, filter, page);
    if (found === null) return null;
    steps.push(...found.items);
    ({ cursor } = found);
  } while (cursor !== null);
  return steps;
}

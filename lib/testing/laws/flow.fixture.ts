import assert from 'node:assert/strict';
import type {
  Attempt,
  Capability,
  ClaimedRun,
  Flow,
  FlowStep,
  FlowStepState,
  FlowStorage,
  JsonValue,
  NewFlow,
  NewFlowStep,
  Settlement,
  StorageAdapter,
} from '../../index.js';
import { lawsOf, type Law, type StorageSubject } from '../law.js';
import {
  addOneOff,
  attemptsOf,
  claimOne,
  day,
  holdOf,
  only,
  settle,
  startWorker,
  type Wanted,
} from './fixture.js';

/** Laws for storages that have workflows; others pass. */
export function flowLawsOf(
  topic: string,
  checks: Record<string, (subject: StorageSubject, flows: FlowStorage) => Promise<void>>,
): Law[] {
  const entries = Object.entries(checks).map(([name, check]) => [
    name,
    async (subject: StorageSubject): Promise<void> => {
      const { flows } = subject.storage;
      if (flows) await check(subject, flows);
    },
  ]);
  return lawsOf(topic, Object.fromEntries(entries));
}

/** A step that may read the results of all its parents, and needs all of them. */
export function step(
  name: string,
  after: readonly string[] = [],
  given: Partial<NewFlowStep> = {},
): NewFlowStep {
  return {
    name,
    after: after.map((parent) => ({ parent, data: true })),
    need: after.length,
    otherwise: 'block',
    delayMs: 0,
    allowFailure: false,
    map: false,
    kind: 'handler',
    deadlineMs: null,
    handler: 'work',
    queue: 'default',
    priority: 5,
    policies: {},
    payload: null,
    ...given,
  };
}

export interface Opened extends Partial<Omit<NewFlow, 'steps'>> {
  job?: Wanted;
  deadlineInMs?: number;
}

/** A worker that keeps its lease, for steps (`work`) and for what opens as a graph (`work` or `open`). */
export const lastingWorker = (storage: StorageAdapter): Promise<Capability> =>
  startWorker(storage, { leaseMs: 400 * day, handlers: ['work', 'open'] });

/** A graph, of a one-off's run, and a worker that executes its steps. */
export async function openFlow(
  storage: StorageAdapter,
  steps: readonly NewFlowStep[],
  { job, ...opened }: Opened = {},
): Promise<{ runId: string; worker: Capability; opener: ClaimedRun }> {
  const worker = await lastingWorker(storage);
  await addOneOff(storage, job);
  const opener = await claimOne(storage, worker);
  await openAs(storage, opener, steps, opened);
  return { runId: opener.id, worker, opener };
}

/** Lets a run that a worker has open as a graph. */
export async function openAs(
  storage: StorageAdapter,
  run: ClaimedRun,
  steps: readonly NewFlowStep[],
  { deadlineInMs, ...given }: Omit<Opened, 'job'> = {},
): Promise<void> {
  const flow = { workflow: 'nightly', version: null, params: null, ...given, steps };
  await settle(storage, run, {
    outcome: 'opened',
    flow,
    ...(deadlineInMs !== undefined && { retryInMs: deadlineInMs }),
  });
}

/** `load` of a step, `load.3` of an instance. */
export const keyOf = ({ name, nth }: { name: string; nth: number | null }): string =>
  nth === null ? name : `${name}.${nth}`;

/** Claims all that is due, by their steps. */
export async function claimSteps(
  storage: StorageAdapter,
  worker: Capability,
): Promise<Record<string, ClaimedRun>> {
  const { runs } = await storage.claim(worker, 1_000);
  return Object.fromEntries(
    runs.map((run) => {
      assert.ok(run.flowStep, `The run ${run.id} should be a step.`);
      return [keyOf(run.flowStep), run];
    }),
  );
}

/** Claims the one step that is due, and ends it. */
export async function runNext(
  storage: StorageAdapter,
  worker: Capability,
  given: Partial<Settlement> & { retryInMs?: number } = {},
): Promise<ClaimedRun> {
  const run = await claimOne(storage, worker);
  await settle(storage, run, given);
  return run;
}

const byKey = ([one]: [string, unknown], [other]: [string, unknown]): number => (one < other ? -1 : 1);

/** Runs all that is due, by their names, then what is due by that, until nothing is. Returns the steps in the order in which they ran. */
export async function runAll(
  storage: StorageAdapter,
  worker: Capability,
  settlementFor: (key: string, run: ClaimedRun) => Partial<Settlement> = () => ({}),
): Promise<string[]> {
  const ran: string[] = [];
  for (let runs = await claimSteps(storage, worker); ; runs = await claimSteps(storage, worker)) {
    if (Object.keys(runs).length === 0) return ran;
    for (const [key, run] of Object.entries(runs).toSorted(byKey)) {
      ran.push(key);
      await settle(storage, run, settlementFor(key, run));
    }
  }
}

export async function flowOf(storage: StorageAdapter, runId: string): Promise<Flow> {
  const flow = await storage.flows!.getFlow(runId);
  assert.ok(flow, `The run ${runId} should be a flow.`);
  return flow;
}

export async function stepsOf(
  storage: StorageAdapter,
  runId: string,
  filter: Parameters<FlowStorage['queryFlowSteps']>[1] = {},
): Promise<FlowStep[]> {
  const page = await storage.flows!.queryFlowSteps(runId, filter, { limit: 1_000 });
  assert.ok(page, `The run ${runId} should be a flow.`);
  return page.items;
}

export async function stepOf(storage: StorageAdapter, runId: string, key: string): Promise<FlowStep> {
  const [name] = key.split('.');
  const steps = await stepsOf(storage, runId, { names: [name], results: true });
  return only(
    steps.filter((each) => keyOf(each) === key),
    `step "${key}"`,
  );
}

/** By `load` or `load.3`. */
export async function statesOf(
  storage: StorageAdapter,
  runId: string,
): Promise<Record<string, FlowStepState>> {
  const steps = await stepsOf(storage, runId);
  return Object.fromEntries(steps.map((each) => [keyOf(each), each.state]));
}

/** The ledger row that is the verdict of a run. */
export async function verdictOf(storage: StorageAdapter, runId: string): Promise<Attempt> {
  return only(await attemptsOf(storage, { runId, finalOnly: true }), `verdict of the run ${runId}`);
}

/** Gives an open run its verdict. */
export function endOpen(
  storage: Pick<StorageAdapter, 'settleOpen'>,
  runId: string,
  given: Partial<Settlement> & { retryInMs?: number } = {},
): Promise<boolean> {
  const { retryInMs, ...fields } = given;
  return storage.settleOpen(runId, (run, now) => ({
    ...holdOf(run),
    outcome: 'succeeded',
    startedAt: run.openedAt!,
    finishedAt: now,
    retryAt: retryInMs === undefined ? null : now + retryInMs,
    error: null,
    result: null,
    oneOff: run.jobUid === null,
    ...fields,
  }));
}

/** Asserts that the flow is over, and its run with it. */
export async function assertOver(
  storage: StorageAdapter,
  runId: string,
  verdict: 'succeeded' | 'failed',
  result: JsonValue = null,
): Promise<Attempt> {
  const flow = await flowOf(storage, runId);
  assert.equal(flow.verdict, verdict);
  assert.ok(flow.endedAt !== null);
  const row = await verdictOf(storage, runId);
  assert.deepEqual([row.outcome, row.result], [verdict, result]);
  return row;
}

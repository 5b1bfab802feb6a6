import type { FlowReads } from '../ports/flows.js';
import type { JobStore } from '../ports/storage.adapter.js';

/** By itself, or within a transaction. */
export type RunReader = Pick<JobStore, 'flows' | 'queryAttempts' | 'queryRuns'>;

/** Of one job, the newest first: a retry is looked for among these. */
const mostRuns = 1_000;

/** The run that a workflow is by now whose run this was, until it was retried; null: it is still this one, or there is none. From one that it was between its first and its last back to the first, by the ledger, as long as that has their rows. */
export async function laterRunOf(runId: string, storage: RunReader): Promise<string | null> {
  const { flows } = storage;
  if (flows === undefined) return null;
  for (let id: string | null = runId; id !== null; id = await retriedBy(id, storage)) {
    if ((await flows.getFlow(id)) !== null) return null;
    const later: string | null = await flows.laterRun(id);
    if (later !== null) return later;
  }
  return null;
}

/** The run of which this is the retry; null: of none. */
async function retriedBy(runId: string, storage: RunReader): Promise<string | null> {
  const [ended] = (await storage.queryAttempts({ runId, finalOnly: true }, { limit: 1 })).items;
  return ended?.retryOf ?? null;
}

/**
 * The run that has taken the place of one with a verdict, as that was retried by hand, or the workflow that it is a step of; the last of them, where it was retried more often. Null: none has, or the ledger does not tell any
 * more. Several reads: for calls that have not found what they are for.
 */
export async function inPlaceOf(runId: string, storage: RunReader): Promise<string | null> {
  const of = await jobOf(runId, storage);
  if (of === null) return null;
  const later = of.isStep
    ? await laterRunOfStep(of.jobId, storage)
    : ((await laterRunOf(runId, storage)) ?? (await retryOfJob(runId, of, storage)));
  return later === runId ? null : later;
}

/** The run of the workflow that is no step itself, in which this step is, as it is by now; null: it was pruned, or the ledger does not tell any more. */
export async function wholeOf(stepId: string, storage: RunReader): Promise<string | null> {
  let runId = partsOf(stepId).flowRunId;
  for (let of = await jobOf(runId, storage); of?.isStep === true; of = await jobOf(runId, storage)) {
    runId = partsOf(of.jobId).flowRunId;
  }
  if ((await storage.flows?.getFlow(runId)) != null) return runId;
  return laterRunOf(runId, storage);
}

interface JobOfRun {
  jobId: string;
  namespace: string;
  isStep: boolean;
}

async function jobOf(runId: string, storage: RunReader): Promise<JobOfRun | null> {
  const [run] = (await storage.queryRuns({ runId }, { limit: 1 })).items;
  const found = run ?? (await storage.queryAttempts({ runId }, { limit: 1 })).items[0];
  if (found === undefined) return null;
  const { jobId, namespace, origin } = found;
  return { jobId, namespace, isStep: origin === 'workflow' };
}

/** Each retry names the run before it. */
async function retryOfJob(
  runId: string,
  { jobId, namespace }: JobOfRun,
  storage: RunReader,
): Promise<string | null> {
  const page = { limit: mostRuns };
  const runs = (await storage.queryRuns({ jobId, namespace }, page)).items;
  const ended = (await storage.queryAttempts({ jobId, namespace, finalOnly: true }, page)).items;
  const retries = new Map<string, string>();
  for (const { id, retryOf } of runs) if (retryOf !== null) retries.set(retryOf, id);
  for (const { runId: id, retryOf } of ended) if (retryOf !== null) retries.set(retryOf, id);
  let later = runId;
  for (let next = retries.get(later); next !== undefined; next = retries.get(later)) later = next;
  return later;
}

async function laterRunOfStep(stepId: string, storage: RunReader): Promise<string | null> {
  const { flows } = storage;
  const { flowRunId, step } = partsOf(stepId);
  // A workflow that is a step itself begins anew as another one.
  const of = (await laterRunOf(flowRunId, storage)) ?? (await stepInPlaceOf(flowRunId, storage)) ?? flowRunId;
  return flows === undefined ? null : runOfStep(of, step, flows);
}

async function stepInPlaceOf(runId: string, storage: RunReader): Promise<string | null> {
  const of = await jobOf(runId, storage);
  return of?.isStep === true ? laterRunOfStep(of.jobId, storage) : null;
}

async function runOfStep(
  flowRunId: string,
  { name, nth }: StepName,
  flows: FlowReads,
): Promise<string | null> {
  let cursor: string | null = null;
  do {
    const page = { limit: mostRuns, ...(cursor === null ? {} : { cursor }) };
    const found = await flows.queryFlowSteps(flowRunId, { names: [name], instances: nth !== null }, page);
    const step = found?.items.find((each) => each.nth === nth);
    if (step !== undefined) return step.runId;
    cursor = found?.cursor ?? null;
  } while (cursor !== null);
  return null;
}

interface StepName {
  name: string;
  nth: number | null;
}

/** `12/load`, or of an instance of a map `12/load.3`: names of steps have neither. */
function partsOf(stepId: string): { flowRunId: string; step: StepName } {
  const [flowRunId = '', path = ''] = stepId.split('/');
  const [name = '', nth] = path.split('.');
  return { flowRunId, step: { name, nth: nth === undefined ? null : Number(nth) } };
}

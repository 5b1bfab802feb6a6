import type { JsonValue } from '../model/json.js';
import { workflowHandler } from '../engine/own.handlers.js';
import { pinnedKey } from '../model/definition.js';
import { RunNotFoundError } from '../model/errors.js';
import type { Job } from '../model/job.js';
import type { Attempt, Run } from '../model/run.js';
import type { RunVerdict } from '../model/verdict.js';
import type { Flow } from '../ports/flows.js';
import { outside } from '../ports/outside.js';
import type { JobStore } from '../ports/storage.adapter.js';
import { defaultNamespace } from '../scheduler/job.identity.js';
import { inPlaceOf, laterRunOf, wholeOf } from '../scheduler/later.run.js';
import type { WorkflowRegistry } from './workflow.registry.js';
import { viewOf, type WorkflowRun } from './workflow.views.js';

/** By itself, or within a transaction. */
export type WorkflowReader = Pick<
  JobStore,
  'definitions' | 'flows' | 'getJob' | 'queryAttempts' | 'queryRuns'
>;

/** Of one name, of which one has to be of the code. */
const mostVersions = 100;

/** Null: this run is no workflow, or none of which this process would know before it has begun. */
export async function readWorkflow(
  runId: string,
  storage: WorkflowReader,
  registry: WorkflowRegistry,
): Promise<WorkflowRun | null> {
  const flow = await storage.flows!.getFlow(runId);
  if (flow !== null) return withVerdict(flow, storage);
  const before = await beforeItsBegin(runId, storage, registry);
  if (before !== null) return before;
  const later = await laterRunOf(runId, storage);
  return later === null ? null : readWorkflow(later, storage, registry);
}

/** Of a workflow whose run has been ended otherwise that run tells how. */
export async function withVerdict(flow: Flow, storage: WorkflowReader): Promise<WorkflowRun> {
  const view = viewOf(flow);
  if (flow.verdict !== 'cancelled') return view;
  const { runId } = flow;
  const last = await lastOf(runId, storage);
  return last === undefined ? view : { ...view, state: last.outcome as RunVerdict };
}

/** Throws RunNotFoundError where the run of a step is not in this namespace. */
export async function assertRunIn(namespace: string, runId: string, storage: WorkflowReader): Promise<void> {
  const query = { runId, namespace };
  if ((await storage.queryRuns(query, { limit: 1 })).items.length > 0) return;
  if ((await storage.queryAttempts(query, { limit: 1 })).items.length > 0) return;
  throw new RunNotFoundError(runId);
}

/** Why a workflow is not retried that was over before it had begun, and what to do; null: it had. */
export async function beginAnew(
  { runId, state, openedAt }: WorkflowRun,
  storage: WorkflowReader,
): Promise<string | null> {
  if (openedAt !== null) return null;
  const [run] = (await storage.queryRuns({ runId }, { limit: 1 })).items;
  if (run === undefined) return null;
  return `it had not begun, so there is nothing to go on with. ${startAnew(run, state)}`;
}

/** What holds, or lets go of, a workflow that has not begun: it is a job by then. */
export async function untilItBegins({ runId }: WorkflowRun, storage: WorkflowReader): Promise<string> {
  const [run] = (await storage.queryRuns({ runId }, { limit: 1 })).items;
  if (run === undefined) return 'it has not begun yet.';
  const given = callOf(run);
  return `it has not begun yet, so its job is what is held: scheduler.pauseJob(${given}) and resumeJob(${given}).`;
}

/** The arguments by which a call names the job of a run. */
function callOf({ jobId, namespace }: Run): string {
  return `"${jobId}"${namespace === defaultNamespace ? '' : `, { namespace: "${namespace}" }`}`;
}

function startAnew(run: Run, state: string): string {
  return state === 'cancelled'
    ? `Start it by scheduler.runNow(${callOf(run)}).`
    : `Start it anew by scheduler.retryRun("${run.id}").`;
}

/** What became of a workflow that is not found although its run is: it was pruned. Undefined: that is not known of it. */
export async function howPruned(given: string, storage: WorkflowReader): Promise<string | undefined> {
  const runId = (await inPlaceOf(given, storage)) ?? given;
  const [run] = (await storage.queryRuns({ runId }, { limit: 1 })).items;
  const last = await lastOf(runId, storage);
  if (last === undefined || (run !== undefined && run.finishedAt === null)) return undefined;
  const { outcome, attempt, worker, origin, jobId } = last;
  if (outcome === 'cancelled' && attempt === 0 && worker !== outside)
    return `It was cancelled before it had begun${run === undefined ? ', and is not kept' : `. ${startAnew(run, outcome)}`}.`;
  if (!wasOpen(last)) return undefined;
  const whole = origin === 'workflow' ? await wholeOf(jobId, storage) : null;
  const anew = run === undefined || run.state === 'succeeded' ? '' : ` ${startAnew(run, run.state)}`;
  const part = whole === null ? '' : ` It was a step of the workflow of run "${whole}".`;
  return `It was ${outcome}, and was pruned since, so its steps are gone.${part}${anew}`;
}

/** Whether a run that is over was open before: as a workflow, if it is the run of one. What fails as it opens has another worker. */
function wasOpen({ worker, outcome, attempt }: Attempt): boolean {
  return worker === outside || outcome === 'timed_out' || (outcome === 'cancelled' && attempt > 0);
}

async function lastOf(runId: string, storage: WorkflowReader): Promise<Attempt | undefined> {
  return (await storage.queryAttempts({ runId, finalOnly: true }, { limit: 1 })).items[0];
}

async function beforeItsBegin(
  runId: string,
  storage: WorkflowReader,
  registry: WorkflowRegistry,
): Promise<WorkflowRun | null> {
  const [run] = (await storage.queryRuns({ runId }, { limit: 1 })).items;
  if (run === undefined) return null;
  const isDefined = run.handler === workflowHandler;
  const { namespace, finishedAt: endedAt, retryOf } = run;
  const job = await storage.getJob({ namespace, id: run.jobId });
  const isKnown = isDefined || registry.get(run.handler) !== undefined;
  if (!isKnown && !(await isOfCode(run.handler, job, storage))) return null;
  const last = endedAt === null ? undefined : await lastOf(runId, storage);
  if (last !== undefined && wasOpen(last)) return null;
  const pinned = job?.metadata[pinnedKey];
  const ofCode = typeof pinned === 'number' ? { version: pinned } : {};
  const opening = isDefined ? openingOf(job?.payload) : { ...ofCode, params: job?.payload ?? null };
  const { definition: workflow = run.handler, version = null, params }: Opening = opening;
  const going = run.state === 'paused' ? 'paused' : 'waiting';
  return {
    ...{ runId, workflow, version, namespace, params },
    state: endedAt === null ? going : (run.state as RunVerdict),
    ...{ ending: null, openedAt: null, endedAt, pausedAt: null, retryOf, counts: {} },
  };
}

/** Whether the code of another process has a workflow of this name in the app of the job, in whichever namespace that declares it. */
async function isOfCode(name: string, job: Job | null, { definitions }: WorkflowReader): Promise<boolean> {
  const app = job?.app ?? null;
  if (definitions === undefined || app === null) return false;
  const filter = { name, kind: 'workflow' as const, app };
  const { items } = await definitions.queryDefinitions(filter, { limit: mostVersions });
  return items.some(({ source }) => source === 'code');
}

interface Opening {
  definition?: string;
  version?: number | null;
  params: JsonValue;
}

/** What the job of a workflow that is a definition carries; nothing where it is gone. */
function openingOf(payload: JsonValue = null): Opening {
  return { params: null, ...(payload as object | null) };
}

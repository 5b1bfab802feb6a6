import { RunNotFoundError, type Run } from '../../index.js';
import { HttpProblem } from '../problem.js';
import { errorIn } from '../routes/common.js';
import type { Answer, Call } from '../route.js';
import { changeDag, dagOf, parentsOf, runOf, stepOf, type Dag } from './dag.draft.js';
import { graphOf, startDag } from './dags.js';
import { jobView, plainJobView } from './job.view.js';
import { dagJobIn, spaceOf } from './names.js';

const untilOpenMs = 5_000;
const lookMs = 100;

/** The job that the path names: one of a DAG, or of none. */
type Named = { dag: Dag; step: string } | { job: string };

/** Throws HttpProblem (404). */
async function named(call: Call): Promise<Named> {
  const id = call.params.jobId!;
  const ofDag = dagJobIn(id);
  if (ofDag !== null) {
    const found = await call.definitions.get(ofDag.dagId, spaceOf(call));
    if (found?.kind === 'workflow' && found.deletedAt === null) {
      const dag = dagOf(found);
      return { dag, step: stepOf(dag, ofDag.step, 'jobId').name };
    }
  }
  return { job: id };
}

export async function getDagJob(call: Call): Promise<Answer> {
  const found = await named(call);
  if ('job' in found) {
    const job = await call.scheduler.getJob(found.job, spaceOf(call));
    if (job !== null) return { body: plainJobView(job) };
    throw new HttpProblem(404, 'http.no-dag-job', `There is no job ${JSON.stringify(found.job)}.`);
  }
  return { body: await viewOf(call, found.dag, found.step) };
}

async function viewOf(call: Call, dag: Dag, step: string): Promise<object> {
  const view = jobView(dag, stepOf(dag, step, 'jobId'), await graphOf(call, dag));
  const run = view.runId === null ? null : await oneRun(call, { runId: view.runId });
  return { ...view, dueAt: run?.dueAt ?? null };
}

async function oneRun(
  { scheduler }: Call,
  which: { runId: string } | { jobId: string },
): Promise<Run | null> {
  return (await scheduler.getRuns({ ...which, limit: 1 })).items[0] ?? null;
}

/** Of a job of no DAG its latest run. Throws RunNotFoundError. */
async function latestRun(call: Call, job: string): Promise<string> {
  const run = await oneRun(call, { ...spaceOf(call), jobId: job });
  if (run === null) throw new RunNotFoundError(job);
  return run.id;
}

/**
 * Ends a job from outside. In a DAG that has not begun it is one that no worker executes from now on, and the DAG begins: what comes after it is due once it may. Throws HttpProblem (409): it waits for others, or no worker has opened the DAG so far.
 */
async function ending(
  call: Call,
  ofRun: (runId: string) => Promise<unknown>,
  ofStep: (runId: string, step: string) => Promise<unknown>,
): Promise<Answer> {
  const found = await named(call);
  if ('job' in found) {
    await ofRun(await latestRun(call, found.job));
    return getDagJob(call);
  }
  const { step } = found;
  let { dag } = found;
  let runId = (await runOf(call, dag))?.id ?? null;
  if (runId === null) {
    dag = await changeDag(call, dag.definition.name, (now) => endable(now, step));
    runId = (await startDag(call, dag)).runId;
  }
  await untilOpen(call, runId);
  await ofStep(runId, step);
  return { body: await viewOf(call, dag, step) };
}

/** The same with a step that waits for its verdict. */
function endable(dag: Dag, name: string): Pick<Dag, 'steps'> | null {
  const step = stepOf(dag, name, 'jobId');
  const [parent] = parentsOf(step);
  if (parent !== undefined)
    throw new HttpProblem(
      409,
      'http.dag-job-waits',
      `The job waits for ${JSON.stringify(parent.step)}, which has not ended. End that first.`,
    );
  if (step.manual === true) return null;
  const { delay, timeout } = step;
  const manual = {
    name,
    manual: true,
    ...(delay !== undefined && { delay }),
    ...(timeout !== undefined && { timeout }),
  };
  return { steps: dag.steps.map((each) => (each.name === name ? manual : each)) };
}

async function untilOpen({ workflows, clock }: Call, runId: string): Promise<void> {
  const giveUpAt = clock.monotonic() + untilOpenMs;
  for (;;) {
    const flow = await workflows.get(runId);
    if (flow === null || flow.openedAt !== null || flow.endedAt !== null) return;
    if (clock.monotonic() >= giveUpAt)
      throw new HttpProblem(
        409,
        'http.dag-not-open',
        'The DAG was started, and no worker has opened it so far. Look whether one runs, and send this again.',
        { 'Retry-After': '5' },
      );
    await new Promise<void>((resolve) => void clock.setTimer(lookMs, resolve));
  }
}

export function completeDagJob(call: Call): Promise<Answer> {
  const { result } = call.body;
  return ending(
    call,
    (runId) => call.scheduler.complete(runId, result),
    (runId, step) => call.workflows.complete({ runId, step }, result),
  );
}

export function failDagJob(call: Call): Promise<Answer> {
  const error = errorIn({ error: call.body.error ?? 'Marked as failed.' });
  return ending(
    call,
    (runId) => call.scheduler.fail(runId, error),
    (runId, step) => call.workflows.fail({ runId, step }, error),
  );
}

export async function retryDagJob(call: Call): Promise<Answer> {
  const found = await named(call);
  if ('job' in found) {
    await call.scheduler.retryRun(await latestRun(call, found.job));
    return getDagJob(call);
  }
  const { dag, step } = found;
  const run = await runOf(call, dag);
  if (run === null)
    throw new HttpProblem(409, 'http.dag-not-begun', 'The DAG has not begun, so nothing of it has failed.');
  await call.workflows.retry(run.id, { from: [step] });
  return { body: await viewOf(call, dag, step) };
}

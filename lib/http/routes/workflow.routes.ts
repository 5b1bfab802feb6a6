import {
  WorkflowRunNotFoundError,
  type StepRef,
  type StorageAdapter,
  type WorkflowRun,
} from '../../index.js';
import { answerAgain, nothingAgain } from '../repetition.js';
import { asStored } from '../stored.json.js';
import type { Call, Repeated, Route } from '../route.js';
import {
  anyObject,
  count,
  described,
  duration,
  flag,
  givenInstant,
  input,
  instant,
  json,
  listOf,
  nullable,
  object,
  oneOf,
  pageOf,
  text,
} from '../schema.js';
import { errorIn, given, namespace, note, pageAnswer, pageIn, paging } from './common.js';
import { runState } from './run.schemas.js';

const verdicts = ['succeeded', 'failed', 'timed_out', 'cancelled', 'lost'];
const stepState = text;

const view = {
  runId: text,
  workflow: text,
  version: nullable(count),
  namespace: text,
  params: json,
  state: oneOf('waiting', 'active', 'paused', ...verdicts),
  openedAt: nullable(instant),
  endedAt: nullable(instant),
  pausedAt: nullable(instant),
  retryOf: nullable(text),
  counts: anyObject,
};

const step = object({
  name: text,
  nth: nullable(count),
  state: stepState,
  after: listOf(object({ step: text, order: flag, state: stepState })),
  need: count,
  otherwise: text,
  map: flag,
  manual: flag,
  allowFailure: flag,
  handler: text,
  runId: nullable(text),
  runState: nullable(runState),
  waitsFor: nullable(text),
  releasedAt: nullable(instant),
  endedAt: nullable(instant),
  reason: nullable(text),
});

const started = object({ runId: text, status: oneOf('created', 'existing') });

/** The step that the path names, or an instance of it. */
function stepIn({ params, query }: Call): StepRef {
  return { runId: params.runId!, step: params.step!, ...given(query, 'nth') };
}

/** Before it begins what it is started with is known by its value alone. */
async function withStoredParams(storage: StorageAdapter, found: WorkflowRun): Promise<object> {
  return { ...found, params: asStored(found.params, await storage.storedText?.params(found.runId)) };
}

/** By the run that it is now; where that is not kept, by the record. */
const startedAgain: Repeated = async ({ scheduler }, { namespace, jobId }) => {
  const job = { namespace: namespace!, jobId: jobId! };
  const [run] = (await scheduler.getRuns({ ...job, limit: 1 })).items;
  const [last] = run ? [] : (await scheduler.getAttempts({ ...job, limit: 1 })).items;
  const runId = run?.id ?? last?.runId;
  if (runId === undefined) throw new WorkflowRunNotFoundError(jobId!);
  return { body: { runId, status: 'created' } };
};

const one = 'workflows/:runId';
const noted = input({ note });
const nth = described(count, 'Of an instance of a map which item, from 0.');

/** A change that only needs the workflow. */
function order(word: 'cancel' | 'pause' | 'resume', summary: string): Route {
  return {
    name: `${word}Workflow`,
    method: 'POST',
    path: `${one}/${word}`,
    needs: `workflow.${word}`,
    takesKey: nothingAgain,
    summary,
    body: noted,
    status: 204,
    handle: async ({ workflows, params }) => {
      await workflows[word](params.runId!);
      return {};
    },
  };
}

export const workflowRoutes: readonly Route[] = [
  {
    name: 'listWorkflows',
    method: 'GET',
    path: 'workflows',
    needs: 'read',
    summary: 'Workflows that have begun, the newest first.',
    parameters: {
      namespace,
      workflow: text,
      state: oneOf('active', 'succeeded', 'failed', 'cancelled'),
      ...paging,
    },
    status: 200,
    answer: pageOf(object(view)),
    handle: async (call) => pageAnswer(await call.workflows.list({ ...call.query, ...pageIn(call) })),
  },
  {
    name: 'startWorkflow',
    method: 'POST',
    path: 'workflows',
    needs: 'workflow.start',
    takesKey: startedAgain,
    summary: 'Starts a workflow. With a key it is started once.',
    body: input(
      {
        workflow: text,
        params: json,
        key: text,
        version: count,
        at: givenInstant,
        delay: duration,
        timeout: nullable(duration),
        keep: duration,
        app: text,
        namespace: text,
        queue: text,
        priority: { type: ['integer', 'string'] },
        metadata: anyObject,
        onSuccess: { type: ['string', 'object', 'null'] },
        onFailure: { type: ['string', 'object', 'null'] },
        note,
      },
      ['workflow'],
    ),
    status: 201,
    answer: started,
    handle: async ({ workflows, body }) => {
      const { workflow, note: _, ...options } = body;
      const made = await workflows.start(workflow as string, options);
      return { body: made, status: made.status === 'created' ? 201 : 200 };
    },
  },
  {
    name: 'getWorkflow',
    method: 'GET',
    path: one,
    needs: 'read',
    summary: 'One workflow, by the id of the run that it is.',
    status: 200,
    answer: object(view),
    handle: async ({ workflows, storage, params }) => {
      const found = await workflows.get(params.runId!);
      if (found === null) throw new WorkflowRunNotFoundError(params.runId!);
      return { body: await withStoredParams(storage, found) };
    },
  },
  {
    name: 'getWorkflowGraph',
    method: 'GET',
    path: `${one}/graph`,
    needs: 'read',
    summary: 'The workflow with its steps: how they stand, what they wait for, and why.',
    parameters: { instances: described(flag, 'Whether the instances of maps are told one by one.') },
    status: 200,
    answer: object({ ...view, steps: listOf(step) }),
    handle: async ({ workflows, storage, params, query }) => {
      const found = await workflows.graph(params.runId!, query);
      if (found === null) throw new WorkflowRunNotFoundError(params.runId!);
      return { body: await withStoredParams(storage, found) };
    },
  },
  order('cancel', 'Ends the workflow.'),
  order('pause', 'Holds the steps that wait; what runs goes on.'),
  order('resume', 'What waited is due at its old time.'),
  {
    name: 'retryWorkflow',
    method: 'POST',
    path: `${one}/retry`,
    needs: 'workflow.retry',
    takesKey: (_, { runId }) => ({ body: { runId, status: 'created' } }),
    summary: 'Lets a workflow go on that is over and has not succeeded.',
    body: input({
      from: { type: ['string', 'array'], description: "'failed', or the names of steps." },
      note,
    }),
    status: 201,
    answer: started,
    handle: async ({ workflows, params, body }) => ({
      body: await workflows.retry(params.runId!, given(body, 'from')),
    }),
  },
  {
    name: 'completeStep',
    method: 'POST',
    path: `${one}/steps/:step/complete`,
    needs: 'workflow.complete',
    takesKey: nothingAgain,
    summary: 'Ends a manual step, or one that is open, as succeeded.',
    parameters: { nth },
    body: input({ result: json, wait: duration, note }),
    status: 204,
    handle: async (call) => {
      await call.workflows.complete(stepIn(call), call.body.result, given(call.body, 'wait'));
      return {};
    },
  },
  {
    name: 'failStep',
    method: 'POST',
    path: `${one}/steps/:step/fail`,
    needs: 'workflow.fail',
    takesKey: answerAgain,
    summary: 'Ends it as failed.',
    parameters: { nth },
    body: input({ error: text, wait: duration, note }, ['error']),
    status: 200,
    answer: object({ retryAt: nullable(instant) }),
    handle: async (call) => ({
      body: await call.workflows.fail(stepIn(call), errorIn(call.body), given(call.body, 'wait')),
    }),
  },
];

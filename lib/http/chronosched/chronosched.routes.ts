import { InvalidOptionError } from '../../index.js';
import { openApiOf } from '../openapi.js';
import { HttpProblem } from '../problem.js';
import { namespace, note, pageAnswer, pageIn, paging } from '../routes/common.js';
import type { Answer, Call, Route } from '../route.js';
import {
  anyObject,
  count,
  described,
  duration,
  input,
  listOf,
  object,
  pageOf,
  text,
  type Schema,
} from '../schema.js';
import * as dags from './dags.js';
import * as definitions from './definitions.js';
import * as jobs from './jobs.js';
import { findDag } from './dag.draft.js';
import { namespaceMark, spaceOf } from './names.js';
import * as schemas from './schemas.js';

const items = (schema: Schema) => object({ items: listOf(schema) });

async function startDag(call: Call): Promise<Answer> {
  const dag = await findDag(call);
  const { runId, status } = await dags.startDag(call, dag);
  return { body: { id: dag.definition.name, runId, status }, status: status === 'created' ? 201 : 200 };
}

/** What is in a namespace, by paths that stand below it as well. */
const ofNamespace: readonly Route[] = [
  {
    name: 'chronoschedCreateDag',
    method: 'POST',
    path: 'dags',
    needs: 'definition.define',
    topic: 'workflows',
    summary: 'Creates a DAG, to which jobs are added until it begins.',
    body: schemas.newDag,
    status: 201,
    answer: schemas.dag,
    handle: dags.createDag,
  },
  {
    name: 'chronoschedListDags',
    method: 'GET',
    path: 'dags',
    needs: 'read',
    summary: 'The DAGs: workflows that are definitions, each in its latest version.',
    parameters: { namespace, ...paging },
    status: 200,
    answer: pageOf(schemas.dag),
    handle: dags.listDags,
  },
  {
    name: 'chronoschedGetDag',
    method: 'GET',
    path: 'dags/:dagId',
    needs: 'read',
    summary: 'One DAG, and how its latest run stands.',
    parameters: { namespace },
    status: 200,
    answer: schemas.dag,
    handle: dags.getDag,
  },
  {
    name: 'chronoschedDeleteDag',
    method: 'DELETE',
    path: 'dags/:dagId',
    needs: 'definition.delete',
    topic: 'workflows',
    summary: 'Deletes a DAG and cancels what goes on of it; its record stays.',
    parameters: { namespace },
    body: input({ note }),
    status: 204,
    handle: dags.deleteDag,
  },
  {
    name: 'chronoschedStartDag',
    method: 'POST',
    path: 'dags/:dagId/start',
    needs: 'workflow.start',
    topic: 'workflows',
    isBare: true,
    summary: 'Has the DAG begin, once.',
    parameters: { namespace },
    body: input({ note }),
    status: 201,
    answer: schemas.startedDag,
    handle: startDag,
  },
  {
    name: 'chronoschedCreateDefinitions',
    method: 'POST',
    path: 'definitions/bulk',
    needs: 'definition.define',
    topic: 'jobs',
    summary: 'Puts many definitions; what is wrong with one stops no other.',
    body: schemas.newDefinitions,
    status: 200,
    answer: items(schemas.putDefinition),
    handle: definitions.createDefinitions,
  },
  {
    name: 'chronoschedCreateDefinition',
    method: 'POST',
    path: 'definitions',
    needs: 'definition.define',
    topic: 'jobs',
    summary: 'Puts a definition of a task: a new version, or the one that says the same already.',
    body: schemas.newDefinition,
    status: 201,
    answer: schemas.definition,
    handle: definitions.createDefinition,
  },
  {
    name: 'chronoschedGetDefinition',
    method: 'GET',
    path: 'definitions/:defId',
    needs: 'read',
    summary: 'One version of a definition, or the latest.',
    parameters: { namespace },
    status: 200,
    answer: schemas.definition,
    handle: definitions.getDefinition,
  },
  {
    name: 'chronoschedListDefinitions',
    method: 'GET',
    path: 'definitions',
    needs: 'read',
    summary: 'Definitions of jobs, each in its latest version.',
    parameters: { namespace, ...paging },
    status: 200,
    answer: pageOf(schemas.definition),
    handle: definitions.listDefinitions,
  },
  {
    name: 'chronoschedAddJob',
    method: 'POST',
    path: 'dags/:dagId/jobs',
    needs: 'definition.define',
    topic: 'workflows',
    summary: 'Adds a job to a DAG that has not begun.',
    body: schemas.newJob,
    status: 201,
    answer: schemas.dagJob,
    handle: dags.addJob,
  },
  {
    name: 'chronoschedListDagJobs',
    method: 'GET',
    path: 'dags/:dagId/jobs',
    needs: 'read',
    summary: 'The jobs of a DAG, and how they stand.',
    parameters: { namespace },
    status: 200,
    answer: items(schemas.dagJob),
    handle: dags.listDagJobs,
  },
  {
    name: 'chronoschedAddDependencies',
    method: 'POST',
    path: 'dags/:dagId/dependencies/bulk',
    needs: 'definition.define',
    topic: 'workflows',
    summary: 'Has jobs of a DAG that has not begun wait for others: all of these, or none.',
    body: schemas.newDependencies,
    status: 201,
    answer: items(schemas.dependency),
    handle: dags.addDependencies,
  },
  {
    name: 'chronoschedAddDependency',
    method: 'POST',
    path: 'dags/:dagId/dependencies',
    needs: 'definition.define',
    topic: 'workflows',
    summary: 'Has a job of a DAG that has not begun wait for another.',
    body: schemas.newDependency,
    status: 201,
    answer: schemas.dependency,
    handle: dags.addDependency,
  },
  {
    name: 'chronoschedListDependencies',
    method: 'GET',
    path: 'dags/:dagId/dependencies',
    needs: 'read',
    summary: 'Which job of a DAG waits for which.',
    parameters: { namespace },
    status: 200,
    answer: items(schemas.dependency),
    handle: dags.listDependencies,
  },
  {
    name: 'chronoschedGetJob',
    method: 'GET',
    path: 'jobs/:jobId',
    needs: 'read',
    summary: 'A job of a DAG, or one that is of none.',
    parameters: { namespace },
    status: 200,
    answer: schemas.dagJob,
    handle: jobs.getDagJob,
  },
  {
    name: 'chronoschedCompleteJob',
    method: 'POST',
    path: 'jobs/:jobId/complete',
    needs: 'workflow.complete',
    topic: 'workflows',
    isBare: true,
    summary: 'Ends a job as succeeded from outside; a DAG that has not begun begins with it.',
    parameters: { namespace },
    body: schemas.completion,
    status: 200,
    answer: schemas.dagJob,
    handle: jobs.completeDagJob,
  },
  {
    name: 'chronoschedFailJob',
    method: 'POST',
    path: 'jobs/:jobId/fail',
    needs: 'workflow.fail',
    topic: 'workflows',
    isBare: true,
    summary: 'Ends it as failed.',
    parameters: { namespace },
    body: schemas.failing,
    status: 200,
    answer: schemas.dagJob,
    handle: jobs.failDagJob,
  },
  {
    name: 'chronoschedRetryJob',
    method: 'POST',
    path: 'jobs/:jobId/retry',
    needs: 'workflow.retry',
    topic: 'workflows',
    isBare: true,
    summary: 'Runs a job again that has failed, once its DAG is over, and what comes after it.',
    parameters: { namespace },
    body: schemas.retrying,
    status: 200,
    answer: schemas.dagJob,
    handle: jobs.retryDagJob,
  },
];

/** A namespace is there with the first thing in it: what is kept here is that somebody has named it. */
async function createNamespace(call: Call): Promise<Answer> {
  const { name, description } = call.body;
  if (typeof name !== 'string') throw new InvalidOptionError('name', 'must be the name of the namespace.');
  const about = description === undefined ? {} : { metadata: { description } };
  const put = await call.definitions.define(
    { name: namespaceMark, namespace: name, steps: [], ...about } as never,
    call.by === null ? {} : { by: call.by },
  );
  return { status: put.status === 'created' ? 201 : 200, body: spaceView(put.definition) };
}

function spaceView({ namespace: name, spec }: { namespace: string; spec: Record<string, unknown> }): object {
  const { description = null } = (spec.metadata ?? {}) as { description?: string };
  return { id: name, name, description };
}

async function listNamespaces(call: Call): Promise<Answer> {
  const page = await call.definitions.list({ name: namespaceMark, latest: true, ...pageIn(call) });
  return pageAnswer({ items: page.items.map((each) => spaceView(each as never)), cursor: page.cursor });
}

async function health(call: Call): Promise<Answer> {
  const { healthy, problems } = (await call.process.health()) as { healthy: boolean; problems: string[] };
  if (healthy) return { body: { status: 'ok' } };
  throw new HttpProblem(503, 'http.unhealthy', problems.join(' '), { 'Retry-After': '5' });
}

const ofScheduler: readonly Route[] = [
  {
    name: 'chronoschedCreateNamespace',
    method: 'POST',
    path: 'namespaces',
    needs: 'definition.define',
    topic: 'jobs',
    summary: 'Names a namespace; its id is its name.',
    body: schemas.newSpace,
    status: 201,
    answer: schemas.space,
    handle: createNamespace,
  },
  {
    name: 'chronoschedListNamespaces',
    method: 'GET',
    path: 'namespaces',
    needs: 'read',
    summary: 'The namespaces that were named here.',
    parameters: paging,
    status: 200,
    answer: pageOf(schemas.space),
    handle: listNamespaces,
  },
  {
    name: 'chronoschedReload',
    method: 'GET',
    path: 'scheduler/reload',
    needs: 'read',
    summary: 'Nothing is to be loaded, as all processes see each change: tells how many schedules there are.',
    parameters: { namespace },
    status: 200,
    answer: object({ schedules: count }),
    handle: async (call) => ({
      body: {
        schedules: await call.scheduler.countJobs({ ...spaceOf(call), triggerType: ['cron', 'interval'] }),
      },
    }),
  },
  {
    name: 'chronoschedHealth',
    method: 'GET',
    path: 'healthz',
    needs: 'read',
    ofAll: true,
    summary: 'Whether this process works, and the storage answers; else 503.',
    status: 200,
    answer: object({ status: text }),
    handle: health,
  },
  {
    name: 'chronoschedPrune',
    method: 'POST',
    path: 'admin/prune',
    needs: 'workflow.prune',
    ofAll: true,
    topic: 'workflows',
    summary:
      'Moves DAGs that are over, and definitions that were deleted and nothing needs, into the history.',
    body: input({ olderThan: described(duration, 'For how long they have been. @default 0'), note }),
    isBare: true,
    status: 200,
    answer: object({ dags: count, definitions: count }),
    handle: async ({ prune, body: { olderThan = 0 } }) => ({ body: await prune(olderThan as number) }),
  },
  {
    name: 'chronoschedDocument',
    method: 'GET',
    path: 'openapi.json',
    needs: 'read',
    summary: 'All of this as an OpenAPI document.',
    status: 200,
    answer: anyObject,
    handle: () => ({ body: openApiOf(chronoschedRoutes) }),
  },
];

/** The same below a namespace. */
function inNamespace(route: Route): Route {
  return { ...route, name: `${route.name}InNamespace`, path: `namespaces/:namespaceId/${route.path}` };
}

/** The paths of Chronosched, onto definitions and workflows. */
export const chronoschedRoutes: readonly Route[] = [
  ...ofScheduler,
  ...ofNamespace,
  ...ofNamespace.map(inNamespace),
];

import { InvalidOptionError } from '../../index.js';
import { openApiOf } from '../openapi.js';
import { HttpProblem } from '../problem.js';
import { namespace, note, pageAnswer, pageIn, paging } from '../routes/common.js';
import type { Answer, Call, Route } from '../route.js';
import { anyObject, count, described, duration, input, object, pageOf, text } from '../schema.js';
import { dagRoutes } from './dag.routes.js';
import { jobRoutes } from './job.routes.js';
import { namespaceMark, spaceOf } from './names.js';
import * as schemas from './schemas.js';

/** What is in a namespace, by paths that stand below it as well. */
const ofNamespace = [...dagRoutes, ...jobRoutes];

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
    isOfProcess: true,
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

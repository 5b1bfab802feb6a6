import { randomUUID } from 'node:crypto';
import { InvalidOptionError, type Definition, type JsonObject, type WorkflowStep } from '../../index.js';
import { pageAnswer, pageIn } from '../routes/common.js';
import type { Answer, Call } from '../route.js';
import { changeDag, dagInput, dagOf, findDag, parentsOf, runOf, stepOf, type Dag } from './dag.draft.js';
import { jobView, type GraphOfDag } from './job.view.js';
import { dagJobIn, definitionIn, jobIdOf, living, namespaceMark, spaceOf } from './names.js';

/** What of a definition a step takes over. */
const ofSteps = [
  ...['handler', 'task', 'payload', 'delay', 'queue', 'priority'],
  ...['maxRetries', 'backoff', 'timeout', 'recovery', 'maxLost'],
] as const;

function dagView({ definition, about }: Dag, state?: string): object {
  const { name, namespace, version, createdAt } = definition;
  return {
    id: name,
    namespaceId: namespace,
    name: about?.name ?? name,
    version,
    ...(state !== undefined && { state }),
    createdAt,
  };
}

export async function createDag(call: Call): Promise<Answer> {
  const { name } = call.body;
  // As there, two may have one name.
  if (typeof name !== 'string' || !/^[\w .-]{1,100}$/.test(name))
    throw new InvalidOptionError('name', 'must be 1 to 100 letters, digits, spaces, "_", "-" or ".".');
  const id = `${name.replaceAll(/[ .]/g, '-')}-${randomUUID().slice(0, 8)}`;
  const { definition } = await call.definitions.define(
    { ...spaceOf(call), ...dagInput(id, { name, jobs: {} }, []) } as never,
    call.by === null ? {} : { by: call.by },
  );
  return { body: dagView(dagOf(definition), 'draft') };
}

export async function listDags(call: Call): Promise<Answer> {
  const query = { ...spaceOf(call), kind: 'workflow', latest: true, ...pageIn(call) } as const;
  const { items, cursor } = await call.definitions.list(query);
  const shown = items.filter(({ name }) => name !== namespaceMark);
  return pageAnswer({ items: shown.map((definition) => dagView(dagOf(definition))), cursor });
}

export async function getDag(call: Call): Promise<Answer> {
  const dag = await findDag(call);
  const run = await runOf(call, dag);
  const flow = run === null ? null : await call.workflows.get(run.id);
  return { body: { ...dagView(dag, flow?.state ?? run?.state ?? 'draft'), runId: run?.id ?? null } };
}

/** What goes on of it is cancelled; what has ended stays on record. */
export async function deleteDag(call: Call): Promise<Answer> {
  const dag = await findDag(call);
  const run = await runOf(call, dag);
  const flow = run === null ? null : await call.workflows.get(run.id);
  if (flow !== null && flow.endedAt === null) await call.workflows.cancel(flow.runId);
  const { name, namespace } = dag.definition;
  await call.definitions.delete(name, { namespace });
  return {};
}

/** However often it is asked for, it begins once. */
export async function startDag(call: Call, dag: Dag): Promise<{ runId: string; status: string }> {
  const { name, namespace, version } = dag.definition;
  const { runId, status } = await call.definitions.start(name, { key: name, namespace, version });
  return { runId: runId!, status };
}

export async function addJob(call: Call): Promise<Answer> {
  const { defId, manual = false } = call.body;
  if (typeof manual !== 'boolean') throw new InvalidOptionError('manual', 'must be true or false.');
  const { name, version } = definitionIn(defId);
  const options = { ...spaceOf(call), ...(version !== undefined && { version }) };
  const definition = living(await call.definitions.get(name, options), String(defId));
  if (definition.kind === 'workflow')
    throw new InvalidOptionError('defId', 'is a DAG itself. Name a definition of a job.');
  let added = '';
  const dag = await changeDag(call, call.params.dagId!, ({ steps, about }) => {
    added = freeName(definition, steps);
    const jobs = { ...about.jobs, [added]: `${name}@${definition.version}` };
    return { steps: [...steps, stepFrom(definition, added, manual)], about: { ...about, jobs } };
  });
  return { body: jobView(dag, stepOf(dag, added, 'defId'), null) };
}

/** Of the definition's name, and which of the DAG's jobs it is. */
function freeName({ name }: Definition, steps: readonly WorkflowStep[]): string {
  return `${name.replaceAll(/[^\w-]/g, '_').slice(0, 80)}-${steps.length + 1}`;
}

function stepFrom({ spec }: Definition, name: string, manual: boolean): WorkflowStep {
  const taken = manual ? (['delay', 'timeout'] as const) : ofSteps;
  const said = Object.fromEntries(
    taken.filter((key) => spec[key] !== undefined).map((key) => [key, spec[key]]),
  ) as JsonObject;
  return { name, ...said, ...(manual && { manual }) } as unknown as WorkflowStep;
}

export async function listDagJobs(call: Call): Promise<Answer> {
  const dag = await findDag(call);
  const graph = await graphOf(call, dag);
  return { body: { items: dag.steps.map((step) => jobView(dag, step, graph)) } };
}

/** null: it has not begun. */
export async function graphOf(call: Call, dag: Dag): Promise<GraphOfDag | null> {
  const run = await runOf(call, dag);
  return run === null ? null : call.workflows.graph(run.id);
}

/** A parent and a child, as a request names them. */
type Edge = Readonly<Record<'parentJobId' | 'childJobId' | 'dependencyType', unknown>>;

export async function addDependency(call: Call): Promise<Answer> {
  const [edge] = await linked(call, [call.body as Edge]);
  return { body: edge };
}

/** All of them, or none. */
export async function addDependencies(call: Call): Promise<Answer> {
  const { dependencies } = call.body;
  if (!Array.isArray(dependencies))
    throw new InvalidOptionError('dependencies', 'must be a list of { parentJobId, childJobId }.');
  return { body: { items: await linked(call, dependencies as Edge[]) } };
}

async function linked(call: Call, edges: readonly Edge[]): Promise<object[]> {
  const { dagId } = call.params;
  const read = edges.map(({ parentJobId, childJobId, dependencyType = 'data' }) => {
    if (dependencyType !== 'data' && dependencyType !== 'order-only')
      throw new InvalidOptionError('dependencyType', "must be 'data' or 'order-only'.");
    return { parentJobId, childJobId, order: dependencyType === 'order-only' };
  });
  const stepIn = (dag: Dag, id: unknown, option: string): string => {
    const job = dagJobIn(id);
    return stepOf(dag, job?.dagId === dagId ? job!.step : null, option).name;
  };
  await changeDag(call, dagId!, (dag) => {
    const steps = new Map(dag.steps.map((step) => [step.name, step]));
    for (const { parentJobId, childJobId, order } of read) {
      const parent = stepIn(dag, parentJobId, 'parentJobId');
      const child = steps.get(stepIn(dag, childJobId, 'childJobId'))!;
      const others = parentsOf(child).filter(({ step }) => step !== parent);
      const after = [...others, { step: parent, order }].map((each) =>
        each.order ? { step: each.step, order: true as const } : each.step,
      );
      steps.set(child.name, { ...child, after });
    }
    const next = [...steps.values()];
    return JSON.stringify(next) === JSON.stringify(dag.steps) ? null : { steps: next };
  });
  return read.map(({ parentJobId, childJobId, order }) => ({
    parentJobId,
    childJobId,
    dependencyType: order ? 'order-only' : 'data',
  }));
}

export async function listDependencies(call: Call): Promise<Answer> {
  const dag = await findDag(call);
  const { name } = dag.definition;
  const items = dag.steps.flatMap((child) =>
    parentsOf(child).map(({ step, order }) => ({
      parentJobId: jobIdOf(name, step),
      childJobId: jobIdOf(name, child.name),
      dependencyType: order ? 'order-only' : 'data',
    })),
  );
  return { body: { items } };
}

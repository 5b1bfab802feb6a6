import {
  DefinitionVersionTakenError,
  InvalidOptionError,
  type Definition,
  type JsonObject,
  type Run,
  type WorkflowStep,
} from '../../index.js';
import { HttpProblem } from '../problem.js';
import type { Call } from '../route.js';
import { namespaceMark, spaceOf } from './names.js';

/** A DAG as it is stored: a workflow that is data, each change of which is its next version. */
export interface Dag {
  definition: Definition;
  /** Its name, and of which definitions its jobs are; null: it was not made by these paths. */
  about: { name: string; jobs: Readonly<Record<string, string>> } | null;
  steps: readonly WorkflowStep[];
}

/** Each change stores all steps anew, so a longer one is better defined by one call. */
export const mostSteps = 500;
/** Of two who change one DAG at once. */
const mostTries = 10;
/** In the metadata of its definition. */
const mark = 'chronosched';

export function dagOf(definition: Definition): Dag {
  const { metadata, steps } = definition.spec as JsonObject & { metadata?: JsonObject };
  const about = (metadata?.[mark] ?? null) as Dag['about'];
  return { definition, about, steps: steps as unknown as WorkflowStep[] };
}

/** Throws HttpProblem (404): there is none. */
export async function findDag(call: Call, id = call.params.dagId!): Promise<Dag> {
  const found = await call.definitions.get(id, spaceOf(call));
  if (found !== null && found.kind === 'workflow' && found.deletedAt === null && id !== namespaceMark)
    return dagOf(found);
  throw new HttpProblem(404, 'http.no-dag', `There is no DAG ${JSON.stringify(id)}.`);
}

/** The run that the DAG is since its start, the latest one; null: it has not begun. */
export async function runOf({ scheduler }: Call, { definition }: Dag): Promise<Run | null> {
  const { name, namespace } = definition;
  const { items } = await scheduler.getRuns({ namespace, jobId: name, limit: 1 });
  return items[0] ?? null;
}

/** The input that the DAG is defined by. */
export function dagInput(id: string, about: NonNullable<Dag['about']>, steps: readonly WorkflowStep[]) {
  return { name: id, steps, keep: '30d', metadata: { [mark]: about as unknown as JsonObject } };
}

/**
 * Changes a DAG that has not begun. What `change` gives is its next version; null: it is as it should be. Of two who do so at once each sees the change of the other, and one that is started meanwhile is not changed. Throws HttpProblem (404, 409).
 */
export async function changeDag(
  call: Call,
  dagId: string,
  change: (dag: Dag & { about: NonNullable<Dag['about']> }) => (Pick<Dag, 'steps'> & Partial<Dag>) | null,
): Promise<Dag> {
  for (let nth = 1; ; nth++) {
    const dag = await findDag(call, dagId);
    const { about } = dag;
    if (about === null)
      throw new HttpProblem(
        409,
        'http.dag-of-others',
        `The workflow ${JSON.stringify(dagId)} was not made by these paths. Change it where it is defined.`,
      );
    await assertDraft(call, dag);
    const next = change({ ...dag, about });
    if (next === null) return dag;
    if (next.steps.length > mostSteps)
      throw new HttpProblem(
        409,
        'http.dag-too-long',
        `A DAG that is made job by job has at most ${mostSteps} jobs. Define a longer one by one call: definitions.define({ name, steps }).`,
      );
    try {
      return await replaced(call, dag, dagInput(dagId, next.about ?? about, next.steps));
    } catch (error) {
      if (!(error instanceof DefinitionVersionTakenError)) throw error;
      if (nth === mostTries)
        throw new HttpProblem(
          409,
          'http.dag-busy',
          `Others change the DAG ${JSON.stringify(dagId)} all the time. Try again.`,
          { 'Retry-After': '1' },
        );
    }
  }
}

async function replaced(call: Call, dag: Dag, input: ReturnType<typeof dagInput>): Promise<Dag> {
  const { name, namespace, version } = dag.definition;
  const next = version + 1;
  const { definition } = await call.definitions.define(
    { ...input, namespace, version: next } as never,
    call.by === null ? {} : { by: call.by },
  );
  const run = await runOf(call, dag);
  if (run !== null) {
    // It was started meanwhile, with this version or without it.
    const job = await call.scheduler.getJob(name, { namespace });
    const begunAs = (job?.metadata as { chronis_definition?: string } | undefined)?.chronis_definition;
    if (begunAs !== `${name}@${next}`) {
      await call.definitions.delete(name, { namespace, version: next });
      throw begun(name);
    }
  }
  await call.definitions.delete(name, { namespace, version });
  return dagOf(definition);
}

async function assertDraft(call: Call, dag: Dag): Promise<void> {
  if ((await runOf(call, dag)) !== null) throw begun(dag.definition.name);
}

function begun(dagId: string): HttpProblem {
  return new HttpProblem(
    409,
    'http.dag-begun',
    `The DAG ${JSON.stringify(dagId)} has begun with the jobs that it had. Make another one.`,
  );
}

/** The steps that a step comes after, and whether it takes their results. */
export function parentsOf({ after }: WorkflowStep): { step: string; order: boolean }[] {
  const given = after === undefined ? [] : [after].flat();
  return given.map((each) => (typeof each === 'string' ? { step: each, order: false } : each));
}

/** The step of this name. Throws InvalidOptionError. */
export function stepOf(dag: Dag, step: string | null, option: string): WorkflowStep {
  const found = dag.steps.find(({ name }) => name === step);
  if (found !== undefined) return found;
  throw new InvalidOptionError(option, `is no job of the DAG ${JSON.stringify(dag.definition.name)}.`);
}

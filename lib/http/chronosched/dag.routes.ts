import { namespace, note, paging } from '../routes/common.js';
import type { Answer, Call, Route } from '../route.js';
import { input, listOf, object, pageOf, type Schema } from '../schema.js';
import { findDag } from './dag.draft.js';
import * as dags from './dags.js';
import * as schemas from './schemas.js';

const items = (schema: Schema) => object({ items: listOf(schema) });

async function startDag(call: Call): Promise<Answer> {
  const dag = await findDag(call);
  const { runId, status } = await dags.startDag(call, dag);
  return { body: { id: dag.definition.name, runId, status }, status: status === 'created' ? 201 : 200 };
}

/** DAGs, and what they are made of. */
export const dagRoutes: readonly Route[] = [
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
];

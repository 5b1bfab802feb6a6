import type { Columns } from './entity.columns.js';
import type { ChronisFlow, ChronisFlowEdge, ChronisFlowStep, ChronisRunWait } from './flow.entity.rows.js';

export const flowColumns: Columns<ChronisFlow> = {
  id: 'bigint',
  runId: 'bigint',
  active: 'integer',
  version: 'integer?',
  depth: 'smallint',
  parent: 'bigint?',
  retryOf: 'bigint?',
  jobUid: 'bigint?',
  openedAt: 'timestamptz',
  endedAt: 'timestamptz?',
  pausedAt: 'timestamptz?',
  verdict: 'text?',
  nominalAt: 'timestamptz',
  deadlineMs: 'double precision?',
  workflow: 'text',
  namespace: 'text',
  app: 'text?',
  timeZone: 'text',
  params: 'json',
};

export const flowStepColumns: Columns<ChronisFlowStep> = {
  id: 'bigint',
  flow: 'bigint',
  mapOf: 'bigint?',
  addedBy: 'bigint?',
  nth: 'integer',
  parents: 'integer',
  need: 'integer',
  ok: 'integer',
  bad: 'integer',
  skipped: 'integer',
  items: 'integer?',
  itemsOk: 'integer',
  itemsBad: 'integer',
  resultSize: 'integer',
  runId: 'bigint?',
  releasedAt: 'timestamptz?',
  endedAt: 'timestamptz?',
  verdict: 'text?',
  priority: 'smallint',
  allowFailure: 'boolean',
  isMap: 'boolean',
  delayMs: 'double precision',
  deadlineMs: 'double precision?',
  name: 'text',
  otherwise: 'text',
  kind: 'text',
  handler: 'text',
  queue: 'text',
  policies: 'json',
  payload: 'json?',
  reason: 'text?',
  result: 'json?',
};

export const flowEdgeColumns: Columns<ChronisFlowEdge> = {
  parent: 'bigint',
  child: 'bigint',
  data: 'boolean',
};

export const runWaitColumns: Columns<ChronisRunWait> = {
  child: 'bigint',
  nth: 'integer',
  parent: 'bigint',
  parentId: 'text',
  verdict: 'text?',
  gone: 'boolean',
};

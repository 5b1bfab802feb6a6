import type { JsonValue } from '../model/json.js';
import type { Page } from '../model/job.js';
import type {
  Flow,
  FlowFilter,
  FlowStep,
  FlowStepFilter,
  FlowStepState,
  PageRequest,
} from '../ports/storage.adapter.js';
import { allSteps, type FlowRow, type FlowStepRow } from './flow.rows.js';
import { is } from './filtering.js';
import { pageOf } from './paging.js';
import type { MemoryTables } from './tables.js';

/** Characters of JSON in the results of a page; one result is always there. */
const mostOfPage = 8 * 1_048_576;

export function getFlow({ flows }: MemoryTables, runId: string): Flow | null {
  const flow = flows.get(runId);
  return flow ? toFlow(flow) : null;
}

export function laterRun({ flows }: MemoryTables, runId: string): string | null {
  for (const flow of flows.values()) if (flow.firstRun === runId) return flow.runId;
  return null;
}

export function queryFlows({ flows }: MemoryTables, filter: FlowFilter, page: PageRequest): Page<Flow> {
  const found = [...flows.values()].filter(
    ({ namespace, workflow, verdict }) =>
      is(namespace, filter.namespace) &&
      is(workflow, filter.workflow) &&
      is(verdict ?? 'active', filter.state),
  );
  return pageOf(found, page, ({ runId }) => [-Number(runId)], toFlow);
}

export function queryFlowSteps(
  { flows }: MemoryTables,
  runId: string,
  filter: FlowStepFilter,
  page: PageRequest,
): Page<FlowStep> | null {
  const flow = flows.get(runId);
  if (!flow) return null;
  const { names, instances, results = false } = filter;
  const found = [...allSteps(flow)].filter(
    ({ definition, nth }) =>
      is(definition.name, names) && (instances === undefined || instances === (nth !== null)),
  );
  const placeOf = ({ position, nth }: FlowStepRow): number[] => [position, nth ?? -1];
  const view = (step: FlowStepRow): FlowStep => toFlowStep(step, results);
  const whole = pageOf(found, page, placeOf, view);
  if (!results) return whole;
  const limit = fitting(whole.items.map(({ result }) => result));
  return limit < whole.items.length ? pageOf(found, { ...page, limit }, placeOf, view) : whole;
}

/** How many of these fit into a page. */
function fitting(results: readonly JsonValue[]): number {
  let size = 0;
  const over = results.findIndex((result, nth) => {
    size += result === null ? 0 : JSON.stringify(result).length;
    return size > mostOfPage && nth > 0;
  });
  return over === -1 ? results.length : over;
}

function toFlow(flow: FlowRow): Flow {
  const { runId, workflow, version, namespace, app, params } = flow;
  const { openedAt, endedAt, pausedAt, verdict, retryOf } = flow;
  const ending = verdict === null ? (flow.ending?.outcome ?? null) : null;
  const counts: Flow['counts'] = {};
  for (const step of allSteps(flow)) {
    const state = stateOf(step);
    counts[state] = (counts[state] ?? 0) + 1;
  }
  const about = { runId, workflow, version, namespace, app, params };
  return { ...about, openedAt, endedAt, pausedAt, verdict, ending, retryOf, counts };
}

function toFlowStep(step: FlowStepRow, withResult: boolean): FlowStep {
  const { definition, nth, after, need, ok, bad, releasedAt, endedAt, reason, result } = step;
  const { name, otherwise, delayMs, allowFailure, map, kind, handler } = definition;
  const given = { name, nth, state: stateOf(step), after, need, otherwise, delayMs, allowFailure, map, kind };
  const runId = releasedAt === null ? null : step.runId;
  const reached = { runId, ok, bad, releasedAt, endedAt, reason };
  return { ...given, handler, ...reached, result: withResult ? result : null };
}

/** What waits in a flow that is over will never be released. */
function stateOf({ state, flow }: FlowStepRow): FlowStepState {
  return state === 'waiting' && flow.verdict !== null ? 'blocked' : state;
}

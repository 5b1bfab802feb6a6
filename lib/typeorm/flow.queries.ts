import type { Page } from '../model/job.js';
import type { JsonValue } from '../model/json.js';
import type {
  EpochMs,
  Flow,
  FlowFilter,
  FlowStep,
  FlowStepFilter,
  FlowStepState,
  PageRequest,
} from '../ports/storage.adapter.js';
import { Conditions } from './conditions.js';
import type { Queries } from './database.js';
import { toPage } from './paging.js';
import { queryFlowStepsSql } from './sql/query.flow.steps.sql.js';
import { queryFlowsSql } from './sql/query.flows.sql.js';
import type { TableNames } from './sql/table.names.js';

/** Characters of JSON in the results of a page; one result is always there. */
const mostOfPage = 8 * 1_048_576;

type Instants = Record<'opened_at', EpochMs> & Record<'ended_at' | 'paused_at', EpochMs | null>;

interface FlowRow
  extends
    Instants,
    Pick<Flow, 'workflow' | 'version' | 'namespace' | 'app' | 'params' | 'verdict' | 'ending'> {
  id: string;
  run_id: string;
  retry_of: string | null;
  counts: Flow['counts'] | null;
}

interface FlowStepRow extends Pick<
  FlowStep,
  'name' | 'need' | 'otherwise' | 'kind' | 'handler' | 'ok' | 'bad' | 'reason'
> {
  place: string;
  /** -1: no instance. */
  nth: number;
  state: FlowStepState;
  delay_ms: number;
  allow_failure: boolean;
  is_map: boolean;
  run_id: string | null;
  released_at: EpochMs | null;
  ended_at: EpochMs | null;
  result: JsonValue;
  fits: boolean;
  after: FlowStep['after'] | null;
}

export async function getFlow(queries: Queries, t: TableNames, runId: string): Promise<Flow | null> {
  const row = await findFlow(queries, t, runId);
  return row && toFlow(row);
}

export async function queryFlows(
  queries: Queries,
  t: TableNames,
  { namespace, workflow, state }: FlowFilter,
  { limit = 100, cursor }: PageRequest,
): Promise<Page<Flow>> {
  const conditions = new Conditions(limit + 1);
  conditions.among('f.namespace', namespace);
  conditions.among('f.workflow', workflow);
  if (state === 'active') conditions.add('f.ended_at is null');
  else if (state !== undefined) conditions.add('f.verdict = ?', state);
  conditions.after(cursor, ['id'], 'f.run_id < ?::bigint');
  const rows = await queries.run<FlowRow>(queryFlowsSql(t, conditions.text), conditions.values);
  return toPage(rows, limit, toFlow, ({ run_id }) => [run_id]);
}

export async function queryFlowSteps(
  queries: Queries,
  t: TableNames,
  runId: string,
  { names, instances, results = false }: FlowStepFilter,
  { limit = 100, cursor }: PageRequest,
): Promise<Page<FlowStep> | null> {
  const flow = await findFlow(queries, t, runId);
  if (flow === null) return null;
  const conditions = new Conditions(limit + 1, flow.id, results, mostOfPage);
  conditions.among('s.name', names);
  if (instances !== undefined) conditions.add(instances ? 's.map_of is not null' : 's.map_of is null');
  const place = '(coalesce(s.map_of, s.id), s.nth) > (?::bigint, ?::int)';
  conditions.after(cursor, ['id', 'count'], place);
  const rows = await queries.run<FlowStepRow>(queryFlowStepsSql(t, conditions.text), conditions.values);
  const fitting = rows.findIndex(({ fits }) => !fits);
  const most = fitting === -1 ? limit : Math.min(fitting, limit);
  return toPage(rows, most, toFlowStep, ({ place: at, nth }) => [at, nth]);
}

async function findFlow(queries: Queries, t: TableNames, runId: string): Promise<FlowRow | null> {
  const conditions = new Conditions(1);
  conditions.run('f.run_id', runId);
  const [row] = await queries.run<FlowRow>(queryFlowsSql(t, conditions.text), conditions.values);
  return row ?? null;
}

function toFlow(row: FlowRow): Flow {
  const { workflow, version, namespace, app, params, verdict, ending, counts } = row;
  const instants = { openedAt: row.opened_at, endedAt: row.ended_at, pausedAt: row.paused_at };
  const about = { runId: row.run_id, workflow, version, namespace, app, params };
  return { ...about, ...instants, verdict, ending, retryOf: row.retry_of, counts: counts ?? {} };
}

function toFlowStep(row: FlowStepRow): FlowStep {
  const { name, state, need, otherwise, kind, handler, ok, bad, reason, result } = row;
  return {
    name,
    nth: row.nth === -1 ? null : row.nth,
    state,
    after: row.after ?? [],
    need,
    otherwise,
    delayMs: row.delay_ms,
    allowFailure: row.allow_failure,
    map: row.is_map,
    kind,
    handler,
    runId: row.run_id,
    ok,
    bad,
    releasedAt: row.released_at,
    endedAt: row.ended_at,
    reason,
    result,
  };
}

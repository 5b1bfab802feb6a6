import type { Page } from '../model/job.js';
import type { Attempt, Gap, ListedRun, RunState } from '../model/run.js';
import type { RunVerdict } from '../model/verdict.js';
import type { AttemptFilter, GapFilter, PageRequest, RunFilter } from '../ports/storage.adapter.js';
import { Conditions } from './conditions.js';
import type { Queries } from './database.js';
import { toPage } from './paging.js';
import {
  toAttempt,
  toGap,
  toListedRun,
  type AttemptRow,
  type GapRow,
  type ListedRunRow,
} from './run.rows.js';
import { namespacesIn, type Walked } from './sql/namespaces.fragment.js';
import { queryAttemptsSql } from './sql/query.attempts.sql.js';
import { queryGapsSql } from './sql/query.gaps.sql.js';
import { queryRunsSql } from './sql/query.runs.sql.js';
import type { TableNames } from './sql/table.names.js';
import { at } from './sql/time.fragment.js';

export async function queryRuns(
  queries: Queries,
  t: TableNames,
  { namespace, jobId, runId, state, handler, queue, finishedAfter, finishedBefore, fingerprint }: RunFilter,
  { limit = 100, cursor }: PageRequest,
): Promise<Page<ListedRun>> {
  const conditions = new Conditions(limit + 1);
  const meant = amongJobs(
    conditions,
    { namespace, jobId },
    { table: t.job },
    { table: t.run, where: 'n.keyed' },
    { table: t.run, where: 'not n.keyed and n.job_uid is null' },
  );
  // Nothing new, but in the words of the three indexes that find the runs of one job.
  if (jobId !== undefined)
    conditions.add(
      `(v.keyed or not v.keyed and v.job_uid is null or v.job_uid = any (array(select uid from ${t.job} where namespace ${meant} and id = ?)))`,
      jobId,
    );
  if (runId !== undefined) conditions.run('v.number', runId);
  conditions.among('v.state', state);
  // In the words of the index that finds the few that have one.
  if (state !== undefined && [state].flat().every(isVerdict)) conditions.among('v.verdict', state);
  conditions.among('v.handler', handler);
  conditions.among('v.queue', queue);
  conditions.among('v.last_fingerprint', fingerprint);
  if (finishedAfter)
    conditions.add(`v.verdict is not null and v.ended_at > ${at('?::float8')}`, finishedAfter.getTime());
  if (finishedBefore)
    conditions.add(`v.verdict is not null and v.ended_at < ${at('?::float8')}`, finishedBefore.getTime());
  conditions.after(cursor, ['id'], 'v.number < ?::bigint');
  const rows = await queries.run<ListedRunRow>(queryRunsSql(t, conditions.text), conditions.values);
  return toPage(rows, limit, toListedRun, ({ id }) => [id]);
}

const verdicts: readonly RunState[] = [
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
  'lost',
] satisfies RunVerdict[];

function isVerdict(state: RunState): boolean {
  return verdicts.includes(state);
}

export async function queryAttempts(
  queries: Queries,
  t: TableNames,
  { namespace, jobId, runId, outcome, finalOnly, fingerprint }: AttemptFilter,
  { limit = 100, cursor }: PageRequest,
): Promise<Page<Attempt>> {
  const conditions = new Conditions(limit + 1);
  // A run is found by its own id.
  amongJobs(conditions, { namespace, jobId }, ...(runId === undefined ? [{ table: t.attempt }] : []));
  if (runId !== undefined) conditions.run('v.run_id', runId);
  conditions.among('v.outcome', outcome);
  conditions.among('v.error_fingerprint', fingerprint);
  if (finalOnly) conditions.add('v.final');
  const place = `(v.finished_at, v.run_id, v.fence, v.final) < (${at('?::float8')}, ?::bigint, ?::int, ?::boolean)`;
  conditions.after(cursor, ['instant', 'id', 'count', 'flag'], place);
  const rows = await queries.run<AttemptRow>(queryAttemptsSql(t, conditions.text), conditions.values);
  return toPage(rows, limit, toAttempt, ({ finished_at, run_id, fence, final }) => [
    finished_at,
    run_id,
    fence,
    final,
  ]);
}

export async function queryGaps(
  queries: Queries,
  t: TableNames,
  { namespace, jobId }: GapFilter,
  { limit = 100, cursor }: PageRequest,
): Promise<Page<Gap>> {
  const conditions = new Conditions(limit + 1);
  amongJobs(conditions, { namespace, jobId }, { table: t.gap });
  conditions.after(cursor, ['id'], 'v.id < ?::bigint');
  const rows = await queries.run<GapRow>(queryGapsSql(t, conditions.text), conditions.values);
  return toPage(rows, limit, toGap, ({ id }) => [id]);
}

/** Rows `v` of this namespace and job. Of a job the namespaces that `walked` has are looked for where none is said, as the indexes begin with them. Returns what the namespace has to be. */
function amongJobs(
  conditions: Conditions,
  { namespace, jobId }: Pick<RunFilter, 'namespace' | 'jobId'>,
  ...walked: readonly Walked[]
): string {
  const meant =
    namespace === undefined ? `= any (${namespacesIn(...walked)})` : `= ${conditions.bind(namespace)}`;
  if (namespace !== undefined || (jobId !== undefined && walked.length > 0))
    conditions.add(`v.namespace ${meant}`);
  conditions.among('v.job_id', jobId);
  return meant;
}

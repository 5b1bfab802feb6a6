import type { FailureGroup, FailureReport } from '../model/failure.js';
import type { FailureVerdict } from '../model/verdict.js';
import { mostFailures, type EpochMs, type FailureFilter } from '../ports/storage.adapter.js';
import { Conditions } from './conditions.js';
import type { Queries } from './database.js';
import { queryFailuresSql } from './sql/query.failures.sql.js';
import type { TableNames } from './sql/table.names.js';
import { at } from './sql/time.fragment.js';

interface FailureRow {
  error_fingerprint: string;
  handler: string;
  attempts: number;
  runs: number;
  gave_up: number;
  first_at: EpochMs;
  last_at: EpochMs;
  run_id: string;
  job_id: string;
  namespace: string;
  queue: string;
  attempt: number;
  outcome: FailureVerdict;
  error: string | null;
  counted_from: EpochMs | null;
}

export async function queryFailures(
  queries: Queries,
  t: TableNames,
  { from, until, namespace, handler, newSince }: FailureFilter,
  limit: number,
): Promise<FailureReport> {
  const conditions = new Conditions(limit, mostFailures);
  conditions.add(
    `v.finished_at >= ${at('?::float8')} and v.finished_at < ${at('?::float8')}`,
    from.getTime(),
    until.getTime(),
  );
  conditions.among('v.namespace', namespace);
  conditions.among('v.handler', handler);
  const where = conditions.text;
  let isMeant = 'true';
  if (newSince !== undefined) {
    const since = at(`${conditions.bind(newSince.getTime())}::float8`);
    const within = namespace === undefined ? '' : ` and o.namespace = ${conditions.bind(namespace)}`;
    isMeant = `not exists (
    select from ${t.attempt} o where o.error_fingerprint = g.error_fingerprint and o.handler = g.handler and o.finished_at < ${since}${within}
  )`;
  }
  const rows = await queries.run<FailureRow>(queryFailuresSql(t, where, isMeant), conditions.values);
  const countedFrom = rows[0]?.counted_from ?? null;
  return { items: rows.map(toGroup), countedFrom: countedFrom === null ? null : new Date(countedFrom) };
}

function toGroup(row: FailureRow): FailureGroup {
  const { error_fingerprint: fingerprint, handler, attempts, runs, namespace, queue, attempt } = row;
  const lastAt = new Date(row.last_at);
  const { run_id: runId, job_id: jobId, outcome, error } = row;
  return {
    ...{ fingerprint, handler, attempts, runs },
    gaveUp: row.gave_up,
    firstAt: new Date(row.first_at),
    lastAt,
    sample: { runId, jobId, namespace, queue, attempt, outcome, finishedAt: lastAt, error },
  };
}

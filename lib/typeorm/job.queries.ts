import type { Job, JobFilter, JobRef, Page } from '../model/job.js';
import type { PageRequest } from '../ports/storage.adapter.js';
import type { Queries } from './database.js';
import { Conditions } from './conditions.js';
import { toJob, type JobRow } from './job.rows.js';
import { toPage } from './paging.js';
import { countJobsSql } from './sql/count.jobs.sql.js';
import { queryJobsSql } from './sql/query.jobs.sql.js';
import type { TableNames } from './sql/table.names.js';
import type { Run } from './statement.runner.js';

export async function getJob(run: Run, ref: JobRef): Promise<Job | null> {
  return (await getJobs(run, [ref]))[0] ?? null;
}

/** In the order of the refs; null: not there. */
export async function getJobs(run: Run, refs: readonly JobRef[]): Promise<(Job | null)[]> {
  const [namespaces, ids] = [refs.map(({ namespace }) => namespace), refs.map(({ id }) => id)];
  const rows = await run<JobRow>('getJobs', namespaces, ids);
  const found = new Map(rows.map((row) => [keyOf(row), row]));
  return refs.map((ref) => {
    const row = found.get(keyOf(ref));
    return row ? toJob(row) : null;
  });
}

/** One text for each job. */
export function keyOf({ namespace, id }: JobRef): string {
  return `${namespace.length} ${namespace}${id}`;
}

export async function queryJobs(
  queries: Queries,
  t: TableNames,
  filter: JobFilter,
  { limit = 100, cursor }: PageRequest,
): Promise<Page<Job>> {
  const conditions = jobConditions(new Conditions(limit + 1), filter);
  conditions.after(cursor, ['text', 'text'], '(v.namespace, v.id) > (?, ?)');
  const rows = await queries.run<JobRow>(queryJobsSql(t, conditions.text), conditions.values);
  return toPage(rows, limit, toJob, ({ namespace, id }) => [namespace, id]);
}

export async function countJobs(queries: Queries, t: TableNames, filter: JobFilter): Promise<number> {
  const conditions = jobConditions(new Conditions(), filter);
  const [row] = await queries.run<{ count: number }>(countJobsSql(t, conditions.text), conditions.values);
  return row.count;
}

function jobConditions(conditions: Conditions, filter: JobFilter): Conditions {
  const { idPrefix, metadata } = filter;
  conditions.among('v.namespace', filter.namespace);
  conditions.among('v.state', filter.state);
  conditions.among('v.handler', filter.handler);
  conditions.among('v.queue', filter.queue);
  conditions.among('v.trigger_type', filter.triggerType);
  conditions.among('v.source', filter.source);
  conditions.among('v.app', filter.app);
  // The first condition is the one that an index can serve.
  if (idPrefix) conditions.add('v.id >= ? and starts_with(v.id, ?)', idPrefix, idPrefix);
  if (metadata !== undefined) {
    conditions.add('v.metadata @> ?::jsonb', JSON.stringify(metadata));
    // Says what the index of one-offs is limited to.
    if (Object.keys(metadata).length > 0) conditions.add("v.metadata <> '{}'");
  }
  return conditions;
}

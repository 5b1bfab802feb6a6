import type { Job, JobFilter, JobRef, JobState, Page } from '../model/job.js';
import type { JobPageRequest, PageRequest } from '../ports/storage.adapter.js';
import { isOnce } from '../model/trigger.js';
import type { Queries } from './database.js';
import { Conditions } from './conditions.js';
import { toJob, type JobRow } from './job.rows.js';
import { placeOf, toPage } from './paging.js';
import { countJobsSql } from './sql/count.jobs.sql.js';
import { queryJobsSql, queryRefsSql } from './sql/query.jobs.sql.js';
import { anyPause } from './sql/pauses.fragment.js';
import { queryNextJobsSql, type Narrowing } from './sql/query.next.jobs.sql.js';
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
  page: JobPageRequest,
): Promise<Page<Job>> {
  if (page.orderBy === 'nextRunAt') return queryNextJobs(queries, t, filter, page);
  const { limit = 100, cursor } = page;
  const conditions = jobConditions(t, new Conditions(limit + 1), filter);
  conditions.after(cursor, ['text', 'text'], '(v.namespace, v.id) > (?, ?)');
  const rows = await queries.run<JobRow>(queryJobsSql(t, conditions.text), conditions.values);
  return toPage(rows, limit, toJob, ({ namespace, id }) => [namespace, id]);
}

export async function queryRefs(
  queries: Queries,
  t: TableNames,
  filter: JobFilter,
  { limit = 100, cursor }: PageRequest,
): Promise<Page<JobRef>> {
  const conditions = jobConditions(t, new Conditions(limit + 1), filter);
  conditions.after(cursor, ['text', 'text'], '(v.namespace, v.id) > (?, ?)');
  const rows = await queries.run<JobRef>(queryRefsSql(t, conditions.text), conditions.values);
  const refOf = ({ namespace, id }: JobRef): JobRef => ({ namespace, id });
  return toPage(rows, limit, refOf, ({ namespace, id }) => [namespace, id]);
}

/** Step by step: the first looks at a few jobs alone, the last at all. */
async function queryNextJobs(
  queries: Queries,
  t: TableNames,
  filter: JobFilter,
  { limit = 100, cursor }: JobPageRequest,
): Promise<Page<Job>> {
  let rows: NextRow[] = [];
  const isNarrowed = narrow.some((column) => filter[column] !== undefined);
  for (const reach of isNarrowed ? [1, spare, null] : [1, null]) {
    const conditions = jobConditions(t, new Conditions(limit + 1), filter);
    conditions.after(cursor, nextPlace, '(v.next_run_at, v.namespace, v.id) > (?::float8, ?, ?)');
    const narrowing = reach === null ? null : narrowingOf(conditions, filter, { limit, cursor, reach });
    const found = await queries.run<NextRow>(
      queryNextJobsSql(t, conditions.text, narrowing),
      conditions.values,
    );
    rows = found.filter(({ uid }) => uid !== null);
    if (rows.length > limit || found[0]?.whole) break;
  }
  return toPage(rows, limit, toJob, ({ next_run_at, namespace, id }) => [next_run_at!, namespace, id]);
}

interface NextRow extends JobRow {
  uid: string | null;
  whole: boolean;
}

const nextPlace = ['instant', 'text', 'text'] as const;
/** Conditions that a cursor, or a run that waits, tells without its job. */
const narrow = ['namespace', 'handler', 'queue'] as const;
/** Of so many times as many jobs enough meet other conditions, as a rule. */
const spare = 8;

function narrowingOf(
  conditions: Conditions,
  filter: JobFilter,
  { limit, cursor, reach }: { limit: number; cursor: string | undefined; reach: number },
): Narrowing {
  const { namespace, handler, queue, nextBefore, ...others } = filter;
  const given = { namespace, handler, queue };
  const bound = narrow.flatMap((column) => {
    const value = given[column];
    return value === undefined ? [] : [[column, conditions.bind([value].flat())] as const];
  });
  const isFurther = Object.values(others).some((value) => value !== undefined);
  const count = (limit + 1) * (isFurther ? spare : 1);
  return {
    where: (row) =>
      ['true', ...bound.map(([column, values]) => `${row}.${column} = any (${values}::text[])`)].join(
        ' and ',
      ),
    count: conditions.bind(count),
    reach: conditions.bind(count * reach),
    handlers: bound.find(([column]) => column === 'handler')?.[1] ?? null,
    before: nextBefore ? conditions.bind(nextBefore.getTime()) : null,
    after: cursor === undefined ? null : conditions.bind(placeOf(cursor, nextPlace)[0]),
  };
}

export async function countJobs(queries: Queries, t: TableNames, filter: JobFilter): Promise<number> {
  const conditions = jobConditions(t, new Conditions(), filter);
  const [row] = await queries.run<{ count: number }>(countJobsSql(t, conditions.text), conditions.values);
  return row.count;
}

function jobConditions(t: TableNames, conditions: Conditions, filter: JobFilter): Conditions {
  const { idPrefix, metadata } = filter;
  conditions.among('v.namespace', filter.namespace);
  conditions.among('v.state', filter.state);
  // Told sooner than the state, for which the runs of each job have to be looked at.
  const states = [filter.state ?? []].flat();
  if (isAmong(states, ['paused'])) conditions.add('v.paused_what is not null');
  // What only one of the kinds can be, the other is not looked at for, and none for its runs.
  if (isAmong(states, ['waiting'])) conditions.add('v.is_run');
  if (isAmong(states, ['orphaned'])) conditions.add('v.orphaned_at is not null');
  // In the words of the index of one-offs that are over, and of what other jobs can have failed.
  if (isAmong(states, ['cancelled', 'failed']))
    conditions.add("(v.verdict is not null or not v.is_run and v.trigger_type = 'at')");
  if (filter.pausedBy !== undefined) {
    const kinds = [filter.pausedBy].flat();
    conditions.among('v.paused_what', kinds);
    // Where there is no such pause, no job is looked at.
    if (!kinds.includes('job')) conditions.add(anyPause(t), kinds);
  }
  if (filter.nextBefore) conditions.add('v.next_run_at < ?::float8', filter.nextBefore.getTime());
  conditions.among('v.handler', filter.handler);
  conditions.among('v.queue', filter.queue);
  conditions.among('v.trigger_type', filter.triggerType);
  // Then no one-off is looked at, of which there may be millions.
  const types = [filter.triggerType ?? 'at'].flat();
  if (!types.some((type) => isOnce({ type }))) conditions.add('not v.is_run');
  conditions.among('v.id', filter.id);
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

/** Some are asked for, and none but these. */
function isAmong(states: readonly JobState[], these: readonly JobState[]): boolean {
  return states.length > 0 && states.every((state) => these.includes(state));
}

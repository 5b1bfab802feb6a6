import type { Job, JobFilter, JobRef, Page } from '../model/job.js';
import type { Attempt, Gap, ListedRun } from '../model/run.js';
import type {
  AttemptFilter,
  GapFilter,
  JobPageRequest,
  PageRequest,
  RunFilter,
} from '../ports/storage.adapter.js';
import { noRequest, requestsOf } from './auditing.js';
import { is, matchesJob } from './filtering.js';
import { pageOf } from './paging.js';
import { progressOf } from './run.progress.js';
import { nextRunAt, runState, toJob, toRun } from './rows.to.views.js';
import type { JobRow, MemoryTables } from './tables.js';

export function queryJobs(tables: MemoryTables, filter: JobFilter, page: JobPageRequest): Page<Job> {
  const found = [...tables.jobs.values()].filter((job) => matchesJob(tables, job, filter));
  const view = (job: JobRow): Job => toJob(tables, job);
  if (page.orderBy !== 'nextRunAt')
    return pageOf(found, page, ({ definition }) => [definition.namespace, definition.id], view);
  const next = found.filter((job) => nextRunAt(job) !== null);
  return pageOf(next, page, (job) => [nextRunAt(job)!, job.definition.namespace, job.definition.id], view);
}

export function queryRefs(tables: MemoryTables, filter: JobFilter, page: PageRequest): Page<JobRef> {
  const refs = [...tables.jobs.values()]
    .filter((job) => matchesJob(tables, job, filter))
    .map(({ definition: { namespace, id } }) => ({ namespace, id }));
  return pageOf(
    refs,
    page,
    ({ namespace, id }) => [namespace, id],
    (ref) => ref,
  );
}

export function countJobs(tables: MemoryTables, filter: JobFilter): number {
  let count = 0;
  for (const job of tables.jobs.values()) if (matchesJob(tables, job, filter)) count++;
  return count;
}

export function queryRuns(tables: MemoryTables, filter: RunFilter, page: PageRequest): Page<ListedRun> {
  const { finishedAfter, finishedBefore } = filter;
  const from = finishedAfter?.getTime() ?? -Infinity;
  const until = finishedBefore?.getTime() ?? Infinity;
  const anyTime = finishedAfter === undefined && finishedBefore === undefined;
  const runs = [...tables.runs.values()].filter((run) => {
    const { namespace, id, handler, queue } = run.job.definition;
    return (
      is(namespace, filter.namespace) &&
      is(id, filter.jobId) &&
      is(run.id, filter.runId) &&
      is(handler, filter.handler) &&
      is(queue, filter.queue) &&
      is(run.lastFingerprint ?? '', filter.fingerprint) &&
      is(runState(run), filter.state) &&
      (anyTime || (run.verdict !== null && run.finishedAt! > from && run.finishedAt! < until))
    );
  });
  const requests = requestsOf(tables);
  return pageOf(
    runs,
    page,
    (run) => [-Number(run.id)],
    (run) => ({
      ...toRun(run),
      ...(requests.get(run.id) ?? noRequest),
      progress: progressOf(tables, run.id),
    }),
  );
}

export function queryAttempts(tables: MemoryTables, filter: AttemptFilter, page: PageRequest): Page<Attempt> {
  const rows = tables.ledger.filter(
    (row) =>
      is(row.namespace, filter.namespace) &&
      is(row.jobId, filter.jobId) &&
      is(row.runId, filter.runId) &&
      is(row.outcome, filter.outcome) &&
      is(row.fingerprint ?? '', filter.fingerprint) &&
      (row.final || filter.finalOnly !== true),
  );
  return pageOf(rows, page, (row) => [-row.finishedAt.getTime(), -row.sequence], withoutSequence);
}

export function queryGaps(tables: MemoryTables, filter: GapFilter, page: PageRequest): Page<Gap> {
  const rows = tables.gaps.filter(
    (gap) => is(gap.namespace, filter.namespace) && is(gap.jobId, filter.jobId),
  );
  return pageOf(rows, page, (gap) => [-gap.sequence], withoutSequence);
}

function withoutSequence<T extends { sequence: number }>(row: T): Omit<T, 'sequence'> {
  const { sequence: _, ...rest } = row;
  return rest;
}

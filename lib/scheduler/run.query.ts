import type { RunState } from '../model/run.js';
import type { FailureVerdict } from '../model/verdict.js';
import type { PageRequest, RunFilter } from '../ports/storage.adapter.js';
import { assertJobId, namespaceOf } from './job.identity.js';
import { dateOf, each, pageKeys } from './job.query.js';
import { knownOptions, lineOfText, managerHint, oneOf } from './option.checks.js';

/** Which runs that gave up; all that is given must fit. @publicApi */
export interface FailedRunFilter extends Omit<RunFilter, 'state'> {
  /** @default all three */
  state?: FailureVerdict | FailureVerdict[];
}

export const failureVerdicts = ['failed', 'timed_out', 'lost'] satisfies FailureVerdict[];
const states = [
  ...(['waiting', 'blocked', 'running', 'paused', 'succeeded', 'cancelled'] as const),
  ...failureVerdicts,
] satisfies RunState[];
const filterKeys = [
  'namespace',
  'jobId',
  'runId',
  'state',
  'handler',
  'queue',
  'finishedAfter',
  'finishedBefore',
];

/** The filter of a query of runs, validated. */
export function runFilter(query: Readonly<RunFilter & PageRequest>): RunFilter {
  knownOptions(query, [...filterKeys, ...pageKeys], 'a query of runs', managerHint);
  return conditions(query, states);
}

/** The same where only dead letters are meant. */
export function failedRunFilter(filter: Readonly<FailedRunFilter>): RunFilter {
  knownOptions(filter, filterKeys, 'a filter of failed runs');
  return { state: failureVerdicts, ...conditions(filter, failureVerdicts) };
}

function conditions(given: Readonly<RunFilter>, allowed: readonly RunState[]): RunFilter {
  const { namespace, jobId, runId, state, handler, queue, finishedAfter, finishedBefore } = given;
  const filter: RunFilter = {};
  if (namespace !== undefined) filter.namespace = namespaceOf(namespace);
  if (jobId !== undefined) filter.jobId = assertJobId(jobId);
  if (runId !== undefined) filter.runId = lineOfText(runId, 'runId');
  if (state !== undefined) filter.state = each(state, (item) => oneOf(item, 'state', allowed));
  if (handler !== undefined) filter.handler = each(handler, (item) => lineOfText(item, 'handler'));
  if (queue !== undefined) filter.queue = each(queue, (item) => lineOfText(item, 'queue'));
  if (finishedAfter !== undefined) filter.finishedAfter = dateOf(finishedAfter, 'finishedAfter');
  if (finishedBefore !== undefined) filter.finishedBefore = dateOf(finishedBefore, 'finishedBefore');
  return filter;
}

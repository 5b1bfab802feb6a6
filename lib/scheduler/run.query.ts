import type { Page } from '../model/job.js';
import type { ListedRun, RunState } from '../model/run.js';
import { outcomes } from '../model/retention.js';
import type { InstantInput } from '../model/trigger.js';
import type { FailureVerdict } from '../model/verdict.js';
import type { AttemptFilter, GapFilter, JobStore, PageRequest, RunFilter } from '../ports/storage.adapter.js';
import { parseAt } from '../triggers/instant.js';
import { fingerprints } from './failures.js';
import { assertJobId, lookUp, namespaceOf } from './job.identity.js';
import { each, ids, pageKeys } from './job.query.js';
import {
  givenConditions,
  knownOptions,
  lineOfText,
  managerHint,
  oneOf,
  trueOrFalse,
} from './option.checks.js';
import { wholeFilterHints } from './option.hints.js';

/** Conditions on runs; all that is given must fit. @publicApi */
export interface RunConditions extends Omit<RunFilter, 'finishedAfter' | 'finishedBefore'> {
  /** Of runs with a verdict: when they got it. Text without an offset is in the module's `timeZone`. */
  finishedAfter?: InstantInput;
  finishedBefore?: InstantInput;
}

/** Which runs that gave up; all that is given must fit. @publicApi */
export interface FailedRunFilter extends Omit<RunConditions, 'state'> {
  /** @default all three */
  state?: FailureVerdict | FailureVerdict[];
}

export const failureVerdicts = ['failed', 'timed_out', 'lost'] satisfies FailureVerdict[];
export const runStates = [
  ...(['waiting', 'blocked', 'running', 'open', 'paused', 'succeeded', 'cancelled'] as const),
  ...failureVerdicts,
] satisfies RunState[];
export const runFilterKeys = [
  'namespace',
  'jobId',
  'runId',
  'state',
  'handler',
  'queue',
  'finishedAfter',
  'finishedBefore',
  'fingerprint',
] satisfies (keyof RunConditions)[];
export const attemptFilterKeys = [
  'namespace',
  'jobId',
  'runId',
  'outcome',
  'finalOnly',
  'fingerprint',
] satisfies (keyof AttemptFilter)[];
export const gapFilterKeys = ['namespace', 'jobId'] satisfies (keyof GapFilter)[];

/** The filter of a query of runs, validated. */
export function runFilter(query: Readonly<RunConditions & PageRequest>, timeZone: string): RunFilter {
  knownOptions(query, [...runFilterKeys, ...pageKeys], 'a query of runs', managerHint);
  return conditions(query, runStates, timeZone);
}

/** A storage that keeps no record of who has asked tells of nobody, and one that keeps no progress of none. */
export async function listRuns(
  filter: RunFilter,
  page: PageRequest,
  jobs: Pick<JobStore, 'queryRuns'>,
): Promise<Page<ListedRun>> {
  const { items, cursor } = await jobs.queryRuns(filter, page);
  const unknown = { requestedBy: null, requestedAction: null, note: null, progress: null };
  return { items: items.map((run) => ({ ...unknown, ...run })), cursor };
}

/** The same where only dead letters are meant. */
export function failedRunFilter(filter: Readonly<FailedRunFilter>, timeZone: string): RunFilter {
  knownOptions(filter, runFilterKeys, 'a filter of failed runs', wholeFilterHints);
  givenConditions(filter, 'a change of failed runs');
  return { state: failureVerdicts, ...conditions(filter, failureVerdicts, timeZone) };
}

/** The filter of a query of attempts, validated. */
export function attemptFilter(query: Readonly<AttemptFilter & PageRequest>): AttemptFilter {
  knownOptions(query, [...attemptFilterKeys, ...pageKeys], 'a query of attempts', managerHint);
  const { runId, outcome, finalOnly, fingerprint } = query;
  const filter: AttemptFilter = ofJob(query);
  if (runId !== undefined) filter.runId = lineOfText(runId, 'runId');
  if (outcome !== undefined) filter.outcome = each(outcome, (item) => oneOf(item, 'outcome', outcomes));
  if (finalOnly !== undefined) filter.finalOnly = trueOrFalse(finalOnly, 'finalOnly');
  if (fingerprint !== undefined) filter.fingerprint = fingerprints(fingerprint);
  return filter;
}

/** The filter of a query of gaps, validated. */
export function gapFilter(query: Readonly<GapFilter & PageRequest>): GapFilter {
  knownOptions(query, [...gapFilterKeys, ...pageKeys], 'a query of gaps', managerHint);
  return ofJob(query);
}

function ofJob({ namespace, jobId }: Readonly<GapFilter>): GapFilter {
  return {
    ...(namespace === undefined ? {} : { namespace: namespaceOf(namespace) }),
    ...(jobId === undefined ? {} : { jobId: assertJobId(jobId, lookUp) }),
  };
}

function conditions(
  given: Readonly<RunConditions>,
  allowed: readonly RunState[],
  timeZone: string,
): RunFilter {
  const { runId, state, handler, queue, finishedAfter, finishedBefore, fingerprint } = given;
  const filter: RunFilter = ofJob(given);
  if (runId !== undefined) filter.runId = ids(runId, 'runId', (item) => lineOfText(item, 'runId'));
  if (state !== undefined) filter.state = each(state, (item) => oneOf(item, 'state', allowed));
  if (handler !== undefined) filter.handler = each(handler, (item) => lineOfText(item, 'handler'));
  if (queue !== undefined) filter.queue = each(queue, (item) => lineOfText(item, 'queue'));
  if (finishedAfter !== undefined) filter.finishedAfter = parseAt(finishedAfter, timeZone, 'finishedAfter');
  if (finishedBefore !== undefined)
    filter.finishedBefore = parseAt(finishedBefore, timeZone, 'finishedBefore');
  if (fingerprint !== undefined) filter.fingerprint = fingerprints(fingerprint);
  return filter;
}

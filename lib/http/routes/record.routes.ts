import { HttpProblem } from '../problem.js';
import type { Answer, Call, Route } from '../route.js';
import {
  anyObject,
  count,
  described,
  flag,
  givenInstant,
  instant,
  json,
  listOf,
  nullable,
  object,
  oneOf,
  pageOf,
  text,
} from '../schema.js';
import { given, jobIn, namespace, namespaceIn, ofJob, pageAnswer, pageIn, paging } from './common.js';
import { failureState, gap, outcome } from './run.schemas.js';

const explained = {
  at: instant,
  answer: oneOf('ran', 'runs', 'waits', 'will-run', 'did-not-run', 'will-not-run', 'unknown'),
  cause: text,
  sentence: text,
  row: described(nullable(anyObject), 'The row that decides.'),
};

const remark = object({ code: text, text });

const statistics = object({
  start: instant,
  namespace: text,
  queue: text,
  handler: text,
  verdict: outcome,
  runs: count,
  attempts: count,
  durationMs: count,
  longestMs: count,
  lateness: listOf(count),
});

async function getStatistics(call: Call): Promise<Answer> {
  if (call.storage.rollups === undefined)
    throw new HttpProblem(501, 'http.no-statistics', 'This storage keeps no statistics.');
  const { exactFrom, exactUntil, ...page } = await call.scheduler.getStatistics({
    from: undefined as never,
    ...call.query,
    ...pageIn(call),
  });
  return pageAnswer(page, { exactFrom, exactUntil });
}

/** Why, and what: all that is on record, and what it comes to. */
export const recordRoutes: readonly Route[] = [
  {
    name: 'explainInstant',
    method: 'GET',
    path: 'jobs/:id/explanation',
    needs: 'read',
    summary: 'What became of one instant of the job, or will, in a sentence, with the row that decides.',
    parameters: { ...ofJob, at: described(text, 'The instant; without an offset in the zone of the job.') },
    status: 200,
    answer: object({ jobId: text, namespace: text, ...explained }),
    handle: async (call) => ({
      body: await call.scheduler.explain(jobIn(call), call.query.at as string, namespaceIn(call)),
    }),
  },
  {
    name: 'getCoverage',
    method: 'GET',
    path: 'jobs/:id/coverage',
    needs: 'read',
    summary: 'All due instants of the job in a stretch of time, each with what became of it, or will.',
    parameters: { ...ofJob, from: givenInstant, until: givenInstant, limit: count },
    status: 200,
    answer: object({
      jobId: text,
      namespace: text,
      from: instant,
      until: instant,
      instants: listOf(object(explained)),
      unnamed: count,
      isCut: flag,
      isWhole: flag,
    }),
    handle: async (call) => ({
      body: await call.scheduler.coverage(jobIn(call), {
        ...namespaceIn(call),
        ...given(call.query, 'from', 'until', 'limit'),
      }),
    }),
  },
  {
    name: 'previewJob',
    method: 'GET',
    path: 'jobs/:id/preview',
    needs: 'read',
    summary: 'What the job will do: instants with wall times and remarks.',
    parameters: { ...ofJob, from: givenInstant, count },
    status: 200,
    answer: object({
      sentence: text,
      timeZone: text,
      occurrences: listOf(
        object({
          at: instant,
          wallTime: text,
          offset: text,
          startsAt: instant,
          excluded: count,
          remarks: listOf(remark),
        }),
      ),
      remarks: listOf(remark),
    }),
    handle: async (call) => ({
      body: await call.scheduler.previewJob(jobIn(call), {
        ...namespaceIn(call),
        ...given(call.query, 'from', 'count'),
      }),
    }),
  },
  {
    name: 'getForecast',
    method: 'GET',
    path: 'forecast',
    needs: 'read',
    summary: 'What will be due in a stretch of time, by all jobs that are stored now.',
    parameters: { namespace, from: givenInstant, until: givenInstant, bucket: text },
    status: 200,
    answer: object({
      from: instant,
      until: instant,
      bucketMs: count,
      runs: count,
      atLeast: flag,
      jobs: count,
      held: count,
      buckets: listOf(object({ at: instant, runs: count })),
      hotMinutes: listOf(object({ at: instant, runs: count, jobs: listOf(text) })),
      remarks: listOf(object({ code: text, text, at: instant, jobs: count, example: text })),
    }),
    handle: async ({ scheduler, query }) => ({ body: await scheduler.forecast(query) }),
  },
  {
    name: 'listGaps',
    method: 'GET',
    path: 'gaps',
    needs: 'read',
    summary: 'Due instants that did not run, as ranges, the newest first.',
    parameters: { namespace, jobId: text, ...paging },
    status: 200,
    answer: pageOf(gap),
    handle: async (call) => pageAnswer(await call.scheduler.getGaps({ ...call.query, ...pageIn(call) })),
  },
  {
    name: 'listFailures',
    method: 'GET',
    path: 'failures',
    needs: 'read',
    summary:
      'What has failed, by the kind of its error and by handler; the groups that failed last come first.',
    parameters: {
      namespace,
      handler: listOf(text),
      from: givenInstant,
      until: givenInstant,
      newSince: described(givenInstant, 'Only kinds that the record has none of before then.'),
      limit: paging.limit,
    },
    status: 200,
    answer: object({
      items: listOf(
        object({
          fingerprint: text,
          handler: text,
          attempts: count,
          runs: count,
          gaveUp: count,
          firstAt: instant,
          lastAt: instant,
          sample: object({
            runId: text,
            jobId: text,
            namespace: text,
            queue: text,
            attempt: count,
            outcome: failureState,
            finishedAt: instant,
            error: nullable(text),
          }),
        }),
      ),
      countedFrom: nullable(instant),
    }),
    handle: async (call) => ({
      body: await call.scheduler.getFailures({ ...call.query, limit: pageIn(call).limit }),
    }),
  },
  {
    name: 'getStatistics',
    method: 'GET',
    path: 'statistics',
    needs: 'read',
    summary: 'What attempts came to, by minute, hour or day, namespace, queue, handler and verdict.',
    parameters: {
      from: givenInstant,
      until: givenInstant,
      by: oneOf('minute', 'hour', 'day'),
      namespace,
      queue: listOf(text),
      handler: listOf(text),
      ...paging,
    },
    status: 200,
    answer: pageOf(statistics, { exactFrom: nullable(instant), exactUntil: nullable(instant) }),
    handle: getStatistics,
  },
  {
    name: 'listAudit',
    method: 'GET',
    path: 'audit',
    needs: 'read',
    summary: 'Who has asked for what, the newest first.',
    parameters: {
      namespace,
      jobId: text,
      runId: text,
      actor: text,
      action: listOf(text),
      from: givenInstant,
      until: givenInstant,
      ...paging,
    },
    status: 200,
    answer: pageOf(
      object({
        id: text,
        at: instant,
        action: text,
        actor: text,
        note: nullable(text),
        requestId: nullable(text),
        namespace: nullable(text),
        jobId: nullable(text),
        runId: nullable(text),
        scope: nullable(anyObject),
        details: json,
        count,
      }),
    ),
    handle: async (call) => pageAnswer(await call.scheduler.getAudit({ ...call.query, ...pageIn(call) })),
  },
];

import { HttpProblem } from '../problem.js';
import type { Answer, Call, Route } from '../route.js';
import {
  anyObject,
  count,
  described,
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
import { namespace, pageAnswer, pageIn, paging } from './common.js';
import { failureState, gap, outcome } from './run.schemas.js';

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

/** All that is on record, and what it comes to. */
export const recordRoutes: readonly Route[] = [
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
      object(
        {
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
          request: object({ key: text, digest: nullable(text), answer: json }),
        },
        ['request'],
      ),
    ),
    handle: async (call) => pageAnswer(await call.scheduler.getAudit({ ...call.query, ...pageIn(call) })),
  },
];

import type { Route } from '../route.js';
import {
  anyObject,
  count,
  described,
  flag,
  givenInstant,
  instant,
  listOf,
  nullable,
  object,
  oneOf,
  text,
} from '../schema.js';
import { given, jobIn, namespace, namespaceIn, ofJob } from './common.js';

const explained = {
  at: instant,
  answer: oneOf('ran', 'runs', 'waits', 'will-run', 'did-not-run', 'will-not-run', 'unknown'),
  cause: text,
  sentence: text,
  row: described(nullable(anyObject), 'The row that decides.'),
};

const remark = object({ code: text, text });

/** When, and why: what jobs have done, and will do, by their schedules. */
export const scheduleRoutes: readonly Route[] = [
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
];

import type { RequestedRun } from '../../index.js';
import type { Answer, Route } from '../route.js';
import {
  count,
  flag,
  givenInstant,
  input,
  instant,
  listOf,
  nullable,
  object,
  oneOf,
  pauseEnd,
  text,
} from '../schema.js';
import { given, jobIn, namespaceIn, note, ofJob } from './common.js';
import { answerAgain } from '../repetition.js';
import { answered, jobAgain } from './job.answer.js';
import { job } from './job.schemas.js';
import { run } from './run.schemas.js';

const one = 'jobs/:id';
const noted = input({ note });

function requested(made: RequestedRun): Answer {
  return { body: made, status: made.alreadyRunning ? 200 : 201 };
}

/** What is done to one job beside changing what it is. */
export const jobActionRoutes: readonly Route[] = [
  {
    name: 'pauseJob',
    method: 'POST',
    path: `${one}/pause`,
    needs: 'pause',
    takesKey: jobAgain,
    summary: 'Stops firing.',
    parameters: ofJob,
    body: input({ reason: text, until: pauseEnd, note }),
    status: 200,
    answer: job,
    handle: async (call) =>
      answered(
        await call.scheduler.pauseJob(jobIn(call), {
          ...namespaceIn(call),
          ...given(call.body, 'reason', 'until'),
          ...(call.by !== null && { by: call.by }),
        }),
      ),
  },
  {
    name: 'resumeJob',
    method: 'POST',
    path: `${one}/resume`,
    needs: 'resume',
    takesKey: jobAgain,
    summary: 'Goes on with the first instant from now.',
    parameters: ofJob,
    body: input({ fromNow: flag, note }),
    status: 200,
    answer: job,
    handle: async (call) =>
      answered(
        await call.scheduler.resumeJob(jobIn(call), { ...namespaceIn(call), ...given(call.body, 'fromNow') }),
      ),
  },
  {
    name: 'resetJob',
    method: 'POST',
    path: `${one}/reset`,
    needs: 'reset',
    takesKey: jobAgain,
    summary: 'Takes back what was changed at run time of a job that the code declares.',
    parameters: ofJob,
    body: noted,
    status: 200,
    answer: job,
    handle: async (call) => answered(await call.scheduler.resetJob(jobIn(call), namespaceIn(call))),
  },
  {
    name: 'cancelJob',
    method: 'POST',
    path: `${one}/cancel`,
    needs: 'cancel',
    takesKey: (_, { request }) => ({ body: { runs: request!.answer } }),
    summary: 'Ends the runs of the job.',
    parameters: ofJob,
    body: noted,
    status: 200,
    answer: object({ runs: count }),
    handle: async (call) => ({
      body: { runs: await call.scheduler.cancelJob(jobIn(call), namespaceIn(call)) },
    }),
  },
  {
    name: 'runJob',
    method: 'POST',
    path: `${one}/runs`,
    needs: 'runNow',
    takesKey: (_, { request }) => requested(request!.answer as unknown as RequestedRun),
    summary: 'A run that is due now.',
    parameters: ofJob,
    body: noted,
    status: 201,
    answer: object({ ...run.properties, alreadyRunning: flag }),
    handle: async (call) => {
      return requested(await call.scheduler.runNow(jobIn(call), namespaceIn(call)));
    },
  },
  {
    name: 'backfillJob',
    method: 'POST',
    path: `${one}/backfills`,
    needs: 'backfill',
    takesKey: answerAgain,
    summary: 'A run for each instant of the schedule in a stretch of the past.',
    parameters: ofJob,
    body: input(
      {
        from: givenInstant,
        until: givenInstant,
        overlap: oneOf('queue', 'allow'),
        limit: count,
        includeSucceeded: flag,
        dryRun: flag,
        note,
      },
      ['from', 'until'],
    ),
    status: 200,
    answer: object({
      instants: count,
      first: nullable(instant),
      last: nullable(instant),
      created: count,
      runIds: listOf(text),
      leftOut: object({ active: count, succeeded: count, scheduled: count }),
    }),
    handle: async (call) => {
      const { from, until } = call.body;
      const options = given(call.body, 'overlap', 'limit', 'includeSucceeded', 'dryRun');
      return {
        body: await call.scheduler.backfill(jobIn(call), from, until, { ...namespaceIn(call), ...options }),
      };
    },
  },
];

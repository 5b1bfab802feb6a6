import { HttpProblem } from '../problem.js';
import { answerAgain, nothingAgain } from '../repetition.js';
import type { Answer, Call, Route } from '../route.js';
import {
  anyObject,
  count,
  described,
  duration,
  flag,
  givenInstant,
  input,
  instant,
  json,
  listOf,
  nullable,
  object,
  oneOf,
  pageOf,
  text,
} from '../schema.js';
import { errorIn, given, namespace, note, pageAnswer, pageIn, paging } from './common.js';
import { getRun, getRunSteps } from './run.answers.js';
import { attempt, listedRun, outcome, run, runState } from './run.schemas.js';

const logLevel = oneOf('verbose', 'debug', 'log', 'warn', 'error', 'fatal');

async function getRunLog(call: Call): Promise<Answer> {
  if (call.storage.runLogs === undefined)
    throw new HttpProblem(501, 'http.no-run-logs', 'This storage keeps no logs of runs.');
  const { tail, ...page } = await call.scheduler.getRunLog({
    runId: call.params.runId!,
    ...pageIn(call),
    ...given(call.query, 'attempt', 'level'),
  });
  return pageAnswer(page, { tail });
}

const one = 'runs/:runId';
const noted = input({ note });
const wait = described(duration, 'How long to wait for a run that its handler is about to leave open.');

export const runRoutes: readonly Route[] = [
  {
    name: 'listRuns',
    method: 'GET',
    path: 'runs',
    needs: 'read',
    summary: 'Runs that are stored, the newest first: those that wait, go on, or are kept.',
    parameters: {
      namespace,
      jobId: text,
      state: listOf(runState),
      handler: listOf(text),
      queue: listOf(text),
      finishedAfter: givenInstant,
      finishedBefore: givenInstant,
      fingerprint: listOf(text),
      ...paging,
    },
    status: 200,
    answer: pageOf(listedRun),
    handle: async (call) => pageAnswer(await call.scheduler.getRuns({ ...call.query, ...pageIn(call) })),
  },
  {
    name: 'getRun',
    method: 'GET',
    path: one,
    needs: 'read',
    summary: 'One run with its newest attempts; null in its place where the record alone has it.',
    status: 200,
    answer: object({ run: nullable(listedRun), attempts: listOf(attempt) }),
    handle: getRun,
  },
  {
    name: 'getRunLog',
    method: 'GET',
    path: `${one}/logs`,
    needs: 'read',
    summary: 'What the run has logged, the oldest line first.',
    parameters: { attempt: count, level: logLevel, ...paging },
    status: 200,
    answer: pageOf(
      object({
        at: instant,
        attempt: count,
        level: logLevel,
        message: text,
        fields: nullable(anyObject),
        cut: flag,
        dropped: count,
      }),
      { tail: described(nullable(text), 'A cursor that leads to what comes later.') },
    ),
    handle: getRunLog,
  },
  {
    name: 'getRunSteps',
    method: 'GET',
    path: `${one}/steps`,
    needs: 'read',
    summary: 'The durable steps of the run, in the order in which they began.',
    status: 200,
    answer: object({
      items: listOf(
        object({
          name: text,
          kind: oneOf('step', 'sleep', 'signal'),
          state: oneOf('ended', 'timed_out', 'sleeping', 'waiting', 'retrying', 'failed'),
          position: nullable(count),
          attempt: count,
          startedAt: instant,
          finishedAt: nullable(instant),
          waitsFor: nullable(object({ until: nullable(instant), signal: nullable(text) })),
          failures: count,
          error: nullable(text),
          result: json,
        }),
      ),
    }),
    handle: getRunSteps,
  },
  {
    name: 'listAttempts',
    method: 'GET',
    path: 'attempts',
    needs: 'read',
    summary: 'The record: a row for each attempt, the newest first.',
    parameters: {
      namespace,
      jobId: text,
      runId: text,
      outcome: listOf(outcome),
      finalOnly: described(flag, 'Only those that are the verdicts of their runs.'),
      fingerprint: listOf(text),
      ...paging,
    },
    status: 200,
    answer: pageOf(attempt),
    handle: async (call) => pageAnswer(await call.scheduler.getAttempts({ ...call.query, ...pageIn(call) })),
  },
  {
    name: 'retryRun',
    method: 'POST',
    path: `${one}/retry`,
    needs: 'retryRun',
    summary: 'A new run, due now, for one that failed, timed out or was lost.',
    takesKey: answerAgain,
    body: noted,
    status: 201,
    answer: run,
    handle: async ({ scheduler, params }) => ({ body: await scheduler.retryRun(params.runId!) }),
  },
  {
    name: 'cancelRun',
    method: 'POST',
    path: `${one}/cancel`,
    needs: 'cancelRun',
    takesKey: (_, { request }) => ({ body: { answer: request!.answer } }),
    summary: 'Ends the run: at once where it waits, by its signal where it goes on.',
    body: noted,
    status: 200,
    answer: object({ answer: oneOf('cancelled', 'requested') }),
    handle: async ({ scheduler, params }) => ({
      body: { answer: await scheduler.cancelRun(params.runId!) },
    }),
  },
  {
    name: 'discardRun',
    method: 'POST',
    path: `${one}/discard`,
    needs: 'discardRun',
    takesKey: nothingAgain,
    summary: 'Removes a run that failed, timed out or was lost; its record stays.',
    body: noted,
    status: 204,
    handle: async ({ scheduler, params }) => {
      await scheduler.discardRun(params.runId!);
      return {};
    },
  },
  {
    name: 'completeRun',
    method: 'POST',
    path: `${one}/complete`,
    needs: 'complete',
    takesKey: nothingAgain,
    summary: 'Gives an open run the verdict "succeeded".',
    body: input({ result: json, wait, note }),
    status: 204,
    handle: async ({ scheduler, params, body }) => {
      await scheduler.complete(params.runId!, body.result, given(body, 'wait'));
      return {};
    },
  },
  {
    name: 'failRun',
    method: 'POST',
    path: `${one}/fail`,
    needs: 'fail',
    takesKey: answerAgain,
    summary: 'Has an open run fail, with the retries of its job.',
    body: input({ error: described(text, 'Why.'), wait, note }, ['error']),
    status: 200,
    answer: object({ retryAt: nullable(instant) }),
    handle: async ({ scheduler, params, body }) => ({
      body: await scheduler.fail(params.runId!, errorIn(body), given(body, 'wait')),
    }),
  },
  {
    name: 'signalRun',
    method: 'POST',
    path: `${one}/signal`,
    needs: 'signal',
    takesKey: nothingAgain,
    summary: 'Brings a payload to a run that waits for it.',
    body: input({ name: text, payload: json, note }, ['name']),
    status: 204,
    handle: async ({ scheduler, params, body }) => {
      await scheduler.signal(params.runId!, body.name as string, body.payload);
      return {};
    },
  },
];

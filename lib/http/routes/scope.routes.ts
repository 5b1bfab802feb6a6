import { InvalidOptionError, type PauseScope } from '../../index.js';
import { HttpProblem } from '../problem.js';
import { answerAgain } from '../repetition.js';
import type { Call, Route } from '../route.js';
import {
  anyObject,
  count,
  described,
  flag,
  input,
  instant,
  listOf,
  nullable,
  object,
  oneOf,
  pauseEnd,
  text,
} from '../schema.js';
import { given, note } from './common.js';
import { pause } from './job.schemas.js';

const scope = {
  type: 'object',
  description: 'One of { handler }, { queue }, { namespace } and { all: true }.',
};
const scopePause = object({ ...pause.properties, scope });
const kinds = ['handler', 'queue', 'namespace', 'all'] as const;

/** The scope that the query names. Throws InvalidOptionError: none, or several. */
function scopeIn({ query }: Call): PauseScope {
  const named = kinds.filter((kind) => query[kind] !== undefined);
  if (named.length !== 1 || query.all === false)
    throw new InvalidOptionError('scope', 'must be one of ?handler=, ?queue=, ?namespace= and ?all=true.');
  return { [named[0]!]: query[named[0]!] } as unknown as PauseScope;
}

/** What is of many jobs, or of the processes: pauses of scopes, queues, workers, this process. */
export const scopeRoutes: readonly Route[] = [
  {
    name: 'listPauses',
    method: 'GET',
    path: 'pauses',
    needs: 'read',
    summary: 'The scopes that are paused at present.',
    status: 200,
    answer: object({ items: listOf(scopePause) }),
    handle: async ({ scheduler }) => ({ body: { items: await scheduler.getPauses() } }),
  },
  {
    name: 'pauseScope',
    method: 'POST',
    path: 'pauses',
    needs: 'pauseScope',
    takesKey: answerAgain,
    summary: 'Stops a handler, a queue, a namespace or everything.',
    body: input({ scope, reason: text, until: pauseEnd, note }, ['scope']),
    status: 200,
    answer: scopePause,
    handle: async ({ scheduler, body, by }) => ({
      body: await scheduler.pause(body.scope as PauseScope, {
        ...given(body, 'reason', 'until'),
        ...(by !== null && { by }),
      }),
    }),
  },
  {
    name: 'resumeScope',
    method: 'DELETE',
    path: 'pauses',
    needs: 'resumeScope',
    summary: 'Ends the pause of a scope.',
    parameters: { handler: text, queue: text, namespace: text, all: flag },
    body: input({ note }),
    status: 204,
    handle: async (call) => {
      if (await call.scheduler.resume(scopeIn(call))) return {};
      throw new HttpProblem(
        404,
        'http.not-paused',
        'This scope is not paused. Pauses of single jobs are ended by jobs/{id}/resume.',
      );
    },
  },
  {
    name: 'listQueues',
    method: 'GET',
    path: 'queues',
    needs: 'read',
    summary: 'What waits, by queue: counts go as far as 10,000, those of dead letters as far as 1,000.',
    ofAll: true,
    status: 200,
    answer: object({
      at: instant,
      items: listOf(
        object({
          queue: text,
          due: count,
          oldestDueAt: nullable(instant),
          deadLetters: count,
          paused: described(nullable(scopePause), 'The pause of this queue; others may stop it too.'),
        }),
      ),
      unclaimable: listOf(object({ handler: text, runs: count })),
      workers: object({ live: count, lost: count }),
    }),
    handle: async ({ scheduler, storage }) => {
      const [stock, pauses] = await Promise.all([storage.takeStock?.(), scheduler.getPauses()]);
      if (stock === undefined)
        throw new HttpProblem(501, 'http.no-stock', 'This storage does not count what waits.');
      const pauseOf = (queue: string) =>
        pauses.find((each) => 'queue' in each.scope && each.scope.queue === queue) ?? null;
      const items = stock.queues.map(({ oldestDueAt, ...each }) => ({
        ...each,
        oldestDueAt: oldestDueAt === null ? null : new Date(oldestDueAt),
        paused: pauseOf(each.queue),
      }));
      const { unclaimable, workers } = stock;
      return { body: { at: new Date(stock.now), items, unclaimable, workers } };
    },
  },
  {
    name: 'listWorkers',
    method: 'GET',
    path: 'workers',
    needs: 'read',
    summary: 'The processes that run jobs, or did until a moment ago.',
    ofAll: true,
    status: 200,
    answer: object({
      items: listOf(
        object({
          id: text,
          name: text,
          app: text,
          generation: nullable(count),
          host: text,
          pid: count,
          version: text,
          zoneData: text,
          queues: listOf(text),
          handlers: listOf(text),
          startedAt: instant,
          leaseUntil: instant,
          running: count,
          slots: nullable(count),
          condition: nullable(anyObject),
          keepsRecord: described(nullable(anyObject), 'How long it wants the record kept.'),
        }),
      ),
    }),
    handle: async ({ storage }) => {
      const workers = await storage.queryWorkers();
      const items = workers.map(({ retention, ...worker }) => ({ ...worker, keepsRecord: retention }));
      return { body: { items } };
    },
  },
  {
    name: 'streamChanges',
    method: 'GET',
    path: 'events',
    needs: 'read',
    summary:
      'Server-sent events: hello (read all anew), change { topics } and stock { at, queues, … }, for ten minutes at most.',
    status: 200,
    answer: described(text, 'Events, as they happen.'),
    isStream: true,
    handle: () => ({}),
  },
  {
    name: 'getStatus',
    method: 'GET',
    path: 'status',
    needs: 'read',
    summary: 'How this process is, by what it knows itself.',
    ofAll: true,
    isOfProcess: true,
    status: 200,
    answer: object({
      state: oneOf('idle', 'starting', 'working', 'draining'),
      since: instant,
      running: count,
      runningIn: listOf(object({ queue: text, runs: count })),
      concurrency: count,
      lease: nullable(anyObject),
      turnedAt: nullable(instant),
      pollMs: count,
    }),
    handle: ({ process }) => ({ body: process.status() }),
  },
  {
    name: 'getHealth',
    method: 'GET',
    path: 'health',
    needs: 'read',
    summary: 'How this process is, and whether the storage answers.',
    ofAll: true,
    status: 200,
    answer: object({
      healthy: flag,
      problems: listOf(text),
      warnings: listOf(text),
      reasons: listOf(object({ code: text, severity: oneOf('problem', 'warning'), sentence: text })),
      state: text,
      since: instant,
      running: count,
      lease: nullable(anyObject),
      storage: anyObject,
    }),
    handle: async ({ process }) => ({ body: await process.health() }),
  },
];

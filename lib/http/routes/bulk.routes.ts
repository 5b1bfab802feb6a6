import { InvalidOptionError, parseDuration, type StoredBulkAction } from '../../index.js';
import { bulkActions, type BulkWord } from '../bulk.words.js';
import { HttpProblem, problemOf } from '../problem.js';
import type { Answer, Call, Route } from '../route.js';
import {
  anyObject,
  count,
  described,
  duration,
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
import { note } from './common.js';

const words = Object.keys(bulkActions) as BulkWord[];

const bulkAction = object({
  id: text,
  action: oneOf(...words),
  filter: described(anyObject, 'As it was frozen.'),
  expected: count,
  state: oneOf('running', 'aborting', 'done', 'aborted', 'failed', 'interrupted'),
  matched: count,
  changed: count,
  failed: listOf(object({ id: text, problem: anyObject })),
  problem: nullable(anyObject),
  by: nullable(text),
  createdAt: instant,
  endedAt: nullable(instant),
});

const counted = object({ dryRun: flag, filter: anyObject, matched: count, sample: listOf(anyObject) });

/** Either only counts, or begins. */
async function bulk(call: Call): Promise<Answer> {
  const { action, dryRun = false, ids } = call.body;
  // Who names them has counted them.
  const { expected = Array.isArray(ids) ? new Set(ids).size : undefined } = call.body;
  if (!words.includes(action as BulkWord))
    throw new InvalidOptionError('action', `must be one of ${words.join(', ')}.`);
  const { takes, count: counting } = bulkActions[action as BulkWord];
  const filter = call.body.ids === undefined ? await frozen(call) : filterOfIds(call);
  const options: Record<string, unknown> = {};
  for (const key of ['reason', 'until', 'fromNow', 'spread']) {
    if (call.body[key] === undefined) continue;
    if (!(takes as readonly string[]).includes(key))
      throw new InvalidOptionError(key, `does not go with the action "${String(action)}".`);
    options[key] = call.body[key];
  }
  if (dryRun === true) {
    const { matched, sample } = await counting(call.scheduler, filter);
    return { status: 200, body: { dryRun, filter, matched, sample } };
  }
  if (dryRun !== false) throw new InvalidOptionError('dryRun', 'must be true or false.');
  if (!(Number.isInteger(expected) && expected >= 0))
    throw new InvalidOptionError(
      'expected',
      'must be how many are meant: ask with { dryRun: true } first, and send its "filter", and its "matched" as "expected".',
    );
  if (action === 'pause' && call.by !== null) options.by = call.by;
  const { note: _, ...asked } = call.body;
  const { scheduler, tenant, by, idempotencyKey: key } = call;
  const order = { action: action as BulkWord, filter, expected: expected as number, options, by, asked, key };
  return { body: shown(await call.bulk.begin(order, { scheduler, tenant })) };
}

function shown({ state, actor, abortRequested, ...stored }: StoredBulkAction): object {
  const { id, action, filter, expected, matched, changed, failed, createdAt, endedAt } = stored;
  return {
    ...{ id, action, filter, expected },
    state: state === 'running' && abortRequested ? 'aborting' : state,
    ...{ matched, changed, failed },
    problem: state === 'interrupted' ? interrupted : stored.problem,
    by: actor,
    createdAt: new Date(createdAt),
    endedAt: endedAt === null ? null : new Date(endedAt),
  };
}

const { problem: interrupted } = problemOf(
  new HttpProblem(
    503,
    'http.interrupted',
    'The process that did it has ended, or was silent for a minute. What is done stays done, and may be more than is counted here: the audit has it. For the rest ask with { dryRun: true } and this filter, and send it again with the number that there are now.',
  ),
);

const mostIds = 1_000;

/** Of jobs those of one namespace. */
function filterOfIds({ body, tenant }: Call): Record<string, unknown> {
  const { ids, filter, action, within } = body;
  const isList = Array.isArray(ids) && ids.every((id) => typeof id === 'string');
  if (!isList || ids.length === 0 || ids.length > mostIds)
    throw new InvalidOptionError('ids', `must be a list of 1 to ${mostIds} ids.`);
  if (filter !== undefined) throw new InvalidOptionError('ids', 'contradicts "filter". Give one of them.');
  if (within !== undefined) throw new InvalidOptionError('within', 'goes with a filter.');
  // That of a tenant is its own.
  const { namespace = tenant === null ? 'default' : undefined } = body;
  if (bulkActions[action as BulkWord].topic === 'jobs') return { id: ids, ...(namespace && { namespace }) };
  if (body.namespace === undefined) return { runId: ids };
  throw new InvalidOptionError('namespace', 'is for ids of jobs: those of runs are of one run each.');
}

/** The filter as it holds from now on: what comes later does not meet it. */
async function frozen({ body, storage }: Call): Promise<Record<string, unknown>> {
  const { filter, action, within, namespace } = body;
  if (namespace !== undefined)
    throw new InvalidOptionError('namespace', 'goes with "ids". Put it into the filter.');
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter))
    throw new InvalidOptionError(
      'filter',
      'must be an object with conditions; {} for all there are. Or give "ids".',
    );
  const conditions = { ...(filter as Record<string, unknown>) };
  if (bulkActions[action as BulkWord].topic === 'jobs') {
    if (within === undefined) return conditions;
    throw new InvalidOptionError('within', 'is for runs that gave up.');
  }
  const now = await storage.now();
  if (within !== undefined) {
    if (conditions.finishedAfter !== undefined)
      throw new InvalidOptionError('within', 'contradicts "finishedAfter". Give one of them.');
    conditions.finishedAfter = new Date(now - parseDuration(within, 'within')).toISOString();
  }
  conditions.finishedBefore ??= new Date(now + 1).toISOString();
  return conditions;
}

export const bulkRoutes: readonly Route[] = [
  {
    name: 'beginBulkAction',
    method: 'POST',
    path: 'bulk-actions',
    needs: {
      key: 'action',
      actions: Object.fromEntries(words.map((word) => [word, bulkActions[word].needs])),
    },
    summary:
      'Changes all that meet a filter, or have these ids, beside the request; with dryRun it only counts.',
    body: input(
      {
        action: oneOf(...words),
        filter: described(
          anyObject,
          'Conditions: those of jobs, or for retry and discard those of runs that gave up.',
        ),
        ids: described(listOf(text), 'In place of the filter: 1 to 1,000 ids of jobs, or of runs.'),
        namespace: described(text, "Of the jobs that `ids` names. Default 'default'."),
        within: described(duration, 'Of runs: only those that gave up so long ago at most.'),
        dryRun: flag,
        expected: described(
          count,
          'How many are meant: no more are changed. With `ids` it need not be said.',
        ),
        reason: text,
        until: pauseEnd,
        fromNow: flag,
        spread: duration,
        note,
      },
      ['action'],
    ),
    takesKey: true,
    status: 202,
    answer: { anyOf: [bulkAction, counted] },
    handle: bulk,
  },
  {
    name: 'listBulkActions',
    method: 'GET',
    path: 'bulk-actions',
    needs: 'read',
    summary: 'The newest hundred bulk actions of the last thirty days, the newest first.',
    status: 200,
    answer: object({ items: listOf(bulkAction) }),
    handle: async ({ bulk: actions, tenant }) => ({
      body: { items: (await actions.list(tenant)).map(shown) },
    }),
  },
  {
    name: 'getBulkAction',
    method: 'GET',
    path: 'bulk-actions/:id',
    needs: 'read',
    summary: 'How far it is, and what it came to.',
    status: 200,
    answer: bulkAction,
    handle: async ({ bulk: actions, tenant, params }) => ({
      body: shown(await actions.get(params.id!, tenant)),
    }),
  },
  {
    name: 'abortBulkAction',
    method: 'DELETE',
    path: 'bulk-actions/:id',
    needs: 'abortMany',
    summary: 'Ends it before its next step, or soon where another process does it; what is done stays done.',
    body: input({ note }),
    status: 200,
    answer: bulkAction,
    handle: async ({ bulk: actions, tenant, params }) => ({
      body: shown(await actions.abort(params.id!, tenant)),
    }),
  },
];

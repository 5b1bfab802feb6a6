import { createHash } from 'node:crypto';
import { InvalidOptionError, parseDuration } from '../../index.js';
import { bulkActions, type BulkWord } from '../bulk.actions.js';
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
  listOf,
  nullable,
  object,
  oneOf,
  text,
} from '../schema.js';
import { note } from './common.js';

const words = Object.keys(bulkActions) as BulkWord[];

const bulkAction = object({
  id: text,
  action: oneOf(...words),
  filter: described(anyObject, 'As it was frozen.'),
  expected: count,
  state: oneOf('running', 'done', 'aborted', 'failed'),
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
  const { action, dryRun = false, expected } = call.body;
  if (!words.includes(action as BulkWord))
    throw new InvalidOptionError('action', `must be one of ${words.join(', ')}.`);
  const { takes, count: counting } = bulkActions[action as BulkWord];
  const filter = await frozen(call);
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
  const begun = call.bulk.begin(
    { action: action as BulkWord, filter, expected: expected as number, by: call.by, options },
    { scheduler: call.scheduler, tenant: call.tenant, ...idIn(call) },
  );
  return { body: begun };
}

/** The filter as it holds from now on: what comes later does not meet it. */
async function frozen({ body, storage }: Call): Promise<Record<string, unknown>> {
  const { filter, action, within } = body;
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter))
    throw new InvalidOptionError('filter', 'must be an object with conditions; {} for all there are.');
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

function idIn({ idempotencyKey, by }: Call): { id?: string } {
  if (idempotencyKey === null) return {};
  return {
    id: createHash('sha256')
      .update(JSON.stringify([by, idempotencyKey]))
      .digest('hex')
      .slice(0, 32),
  };
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
    summary: 'Changes all that meet a filter, beside the request; with dryRun it only counts.',
    body: input(
      {
        action: oneOf(...words),
        filter: described(
          anyObject,
          'Conditions: those of jobs, or for retry and discard those of runs that gave up.',
        ),
        within: described(duration, 'Of runs: only those that gave up so long ago at most.'),
        dryRun: flag,
        expected: described(count, 'How many are meant: no more are changed.'),
        reason: text,
        until: { ...givenInstant, type: ['string', 'number', 'object'] },
        fromNow: flag,
        spread: duration,
        note,
      },
      ['action', 'filter'],
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
    summary: 'The bulk actions of this process, the newest first.',
    status: 200,
    answer: object({ items: listOf(bulkAction) }),
    handle: ({ bulk: actions, tenant }) => ({ body: { items: actions.list(tenant) } }),
  },
  {
    name: 'getBulkAction',
    method: 'GET',
    path: 'bulk-actions/:id',
    needs: 'read',
    summary: 'How far it is, and what it came to.',
    status: 200,
    answer: bulkAction,
    handle: ({ bulk: actions, tenant, params }) => ({ body: actions.get(params.id!, tenant) }),
  },
  {
    name: 'abortBulkAction',
    method: 'DELETE',
    path: 'bulk-actions/:id',
    needs: 'abortMany',
    summary: 'Ends it before its next step; what is done stays done.',
    body: input({ note }),
    status: 200,
    answer: bulkAction,
    handle: async ({ bulk: actions, tenant, params }) => ({ body: await actions.abort(params.id!, tenant) }),
  },
];

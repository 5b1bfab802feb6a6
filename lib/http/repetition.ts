import {
  InvalidOptionError,
  RequestRepeatedError,
  type Actor,
  type AuditEntry,
  type SchedulerService,
} from '../index.js';
import { HttpProblem } from './problem.js';
import type { Answer, Call, Repeated, Route } from './route.js';
import { sumOf } from './sum.js';

/**
 * Does it in the name of the actor; with a key once, and who sends it again is answered as the first time. Throws HttpProblem: something else was asked for with the key, InvalidOptionError: there is no record in which keys could be kept.
 */
export async function onceByKey(
  route: Route,
  call: Call,
  actor: Actor | null,
  record: SchedulerService,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const { takesKey } = route;
  const { idempotencyKey: key, tenant, params, query } = call;
  if (typeof takesKey !== 'function' || key === null) return record.withActor(actor, work);
  if (actor === null)
    throw new InvalidOptionError(
      'Idempotency-Key',
      'cannot be kept: this storage has no record of who has asked. Leave it out.',
    );
  // Who asks again may say why in other words.
  const { note: _, ...body } = call.body;
  const marked = {
    ...actor,
    requestKey: sumOf([tenant, key]),
    requestDigest: sumOf([route.name, params, query, body]),
  };
  const again = async (first: AuditEntry): Promise<Answer> => {
    assertSame(first, marked.requestDigest);
    return takesKey(call, first);
  };
  // What it is about may be in another state by now, or gone: this comes before anybody looks.
  const asked = { actor: actor.by, requestKey: marked.requestKey, limit: 1 };
  const [first] = (await record.getAudit(asked)).items;
  if (first !== undefined) return again(first);
  try {
    return await record.withActor(marked, work);
  } catch (error) {
    // Another one was faster.
    if (error instanceof RequestRepeatedError) return again(error.entry);
    throw error;
  }
}

function assertSame({ request, at, action }: AuditEntry, digest: string): void {
  if (request?.digest === digest) return;
  throw new HttpProblem(
    422,
    'http.idempotency-key-reused',
    `This Idempotency-Key was sent with another request at ${at.toISOString()}, by which "${action}" was done. Give each request a key of its own.`,
  );
}

/** There was no content. */
export const nothingAgain: Repeated = () => ({});

/** What it came to, as it was kept with the entry. */
export const answerAgain: Repeated = (_, { request }) => ({ body: request!.answer });

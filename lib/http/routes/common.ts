import { InvalidOptionError } from '../../index.js';
import type { Page } from '../../index.js';
import type { Answer, Call } from '../route.js';
import { described, text, type Schema } from '../schema.js';

/** Of which namespace; tenants have one of their own. */
export const namespace: Schema = described(text, "Of which namespace; 'default' where one job is meant.");

const limit: Schema = {
  type: 'integer',
  minimum: 1,
  maximum: 200,
  default: 50,
  description: 'How many at most.',
};

/** Which page of a list. */
export const paging = { limit, cursor: described(text, 'The `nextCursor` of the page before.') };

/** Why, for the audit. */
export const note: Schema = described(text, 'Why, for the audit: one line, at most 500 characters.');

/** Of what is about one job. */
export const ofJob = {
  id: described(text, 'The id of the job, where the path has "-": for ids that paths cannot hold.'),
  namespace,
};

/** Throws InvalidOptionError. */
export function pageIn({ query }: Call): { limit: number; cursor?: string } {
  const { limit: most = limit.default, cursor } = query as { limit?: number; cursor?: string };
  if (!(Number(most) >= 1 && Number(most) <= Number(limit.maximum)))
    throw new InvalidOptionError(
      'limit',
      `must be from 1 to ${String(limit.maximum)}, but is ${String(most)}.`,
    );
  return { limit: Number(most), ...(cursor !== undefined && { cursor }) };
}

/** Which job the path, or `?id=`, names. Throws InvalidOptionError: both do. */
export function jobIn({ params, query }: Call): string {
  const { id = '' } = params;
  if (query.id === undefined) return id;
  if (id === '-') return String(query.id);
  throw new InvalidOptionError(
    'id',
    `is in the path already: ${JSON.stringify(id)}. Leave it out, or put "-" into the path.`,
  );
}

/** The namespace of a job, where the request names one. */
export function namespaceIn({ query }: Call): { namespace?: string } {
  return query.namespace === undefined ? {} : { namespace: String(query.namespace) };
}

/** Of the keys those that the request has. */
export function given<K extends string>(
  from: Readonly<Record<string, any>>,
  ...keys: K[]
): { [P in K]?: any } {
  return Object.fromEntries(
    keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]),
  ) as never;
}

export function pageAnswer<T>({ items, cursor }: Page<T>, more: object = {}): Answer {
  return { body: { items, nextCursor: cursor, ...more } };
}

/** What somebody says in the place of an error that was thrown: there is no place in the code to tell of. Throws InvalidOptionError. */
export function errorIn({ error }: Readonly<Record<string, unknown>>): Error {
  if (typeof error !== 'string' || error.trim() === '')
    throw new InvalidOptionError('error', 'must be a text that says why.');
  return Object.assign(new Error(error), { stack: `Error: ${error}` });
}

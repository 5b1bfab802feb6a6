import { InvalidOptionError, meantOption } from '../index.js';
import { HttpProblem } from './problem.js';
import type { Route } from './route.js';
import type { Schema } from './schema.js';

/** What Express and Fastify have in common. */
export interface PlatformRequest {
  method: string;
  url: string;
  originalUrl?: string;
  headers: Record<string, string | string[] | undefined>;
  params?: Readonly<Record<string, string>>;
  body?: unknown;
  socket?: { remoteAddress?: string | undefined };
}

/** What is asked behind the "?", which platforms read in different ways. */
export function queryOf({ originalUrl, url }: PlatformRequest): URLSearchParams {
  const given = originalUrl ?? url;
  const at = given.indexOf('?');
  return new URLSearchParams(at === -1 ? '' : given.slice(at + 1));
}

/** One value of a header; null: there is none. */
export function headerOf({ headers }: PlatformRequest, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value.join(', ') : value) ?? null;
}

/** The parameters of the route, by their schemas. Throws InvalidOptionError: one is unknown, is there twice, or is none such. */
export function readQuery(route: Route, given: URLSearchParams): Record<string, unknown> {
  const schemas = route.parameters ?? {};
  const query: Record<string, unknown> = {};
  for (const key of new Set(given.keys())) {
    // One value of the metadata, under its path.
    const schema = key.startsWith('metadata.') && schemas.metadata ? { type: 'string' } : schemas[key];
    if (schema === undefined || !(Object.hasOwn(schemas, key) || key.startsWith('metadata.')))
      throw unknownKey(key, Object.keys(schemas), 'This request');
    query[key] = valueOf(key, given.getAll(key), schema);
  }
  return query;
}

function valueOf(key: string, given: readonly string[], schema: Schema): unknown {
  if (schema.type === 'array') return given;
  if (given.length > 1) throw new InvalidOptionError(key, 'is there more than once.');
  const value = given[0]!;
  if (schema.type === 'integer') {
    if (/^-?\d{1,15}$/.test(value)) return Number(value);
    throw new InvalidOptionError(key, `must be a whole number, but is ${JSON.stringify(value)}.`);
  }
  if (schema.type === 'boolean') {
    if (value === 'true' || value === 'false') return value === 'true';
    throw new InvalidOptionError(key, `must be true or false, but is ${JSON.stringify(value)}.`);
  }
  if (schema.type === 'object') return parsed(key, value);
  // As an instant may be.
  if (Array.isArray(schema.type) && schema.type.includes('number') && /^\d{1,15}$/.test(value))
    return Number(value);
  return value;
}

function parsed(key: string, value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw new InvalidOptionError(key, `must be JSON, such as {"tenant_id":"acme"}.`);
  }
}

/** The body of the route, of which what it does with the values is checked by what it calls. Throws InvalidOptionError: it is no object, or has a key that nobody would read, or lacks one. */
export function readBody(route: Route, given: unknown): Record<string, unknown> {
  const { properties = {}, required = [] } = route.body ?? {};
  const body = given === undefined || given === null || given === '' ? {} : given;
  if (typeof body !== 'object' || Array.isArray(body))
    throw new InvalidOptionError('body', 'must be a JSON object.');
  if (Buffer.isBuffer(body)) throw new InvalidOptionError('body', 'must be JSON, and was read as bytes.');
  for (const key of Object.keys(body)) {
    if (!Object.hasOwn(properties, key)) throw unknownKey(key, Object.keys(properties), 'The body');
  }
  for (const key of required) {
    if (!Object.hasOwn(body, key)) throw new InvalidOptionError(key, 'is missing in the body.');
  }
  return body as Record<string, unknown>;
}

function unknownKey(key: string, known: readonly string[], owner: string): InvalidOptionError {
  const near = meantOption(key, known);
  const there = known.length === 0 ? 'takes nothing' : `takes ${known.join(', ')}`;
  return new InvalidOptionError(
    key,
    near ? `${owner} has no such key. Did you mean "${near}"?` : `${owner} ${there}.`,
  );
}

/** The revision that the client has seen; null: it does not say. Throws HttpProblem: the route does not look at it, or it is none. */
export function readRevision(route: Route, request: PlatformRequest): number | null {
  const given = headerOf(request, 'if-match');
  if (given === null) return null;
  if (route.takesRevision === undefined)
    throw new HttpProblem(400, 'http.if-match', 'This request does not look at If-Match. Leave it out.');
  const revision = /^"(\d{1,15})"$/.exec(given)?.[1];
  if (revision === undefined)
    throw new HttpProblem(400, 'http.if-match', 'If-Match must be the ETag of the job, such as "3".');
  return Number(revision);
}

/** Throws HttpProblem: the route does not look at it, or it is none. */
export function readIdempotencyKey(route: Route, request: PlatformRequest): string | null {
  const given = headerOf(request, 'idempotency-key');
  if (given === null) return null;
  const text =
    'This request does not look at Idempotency-Key. Leave it out, and look what became of the first try before the next one.';
  if (route.takesKey === undefined) throw new HttpProblem(400, 'http.idempotency-key', text);
  // A draft of the standard has it in quotation marks.
  const key = /^"([^"]*)"$/.exec(given)?.[1] ?? given;
  if (!/^[\x21-\x7e]{1,200}$/.test(key))
    throw new HttpProblem(
      400,
      'http.idempotency-key',
      'Idempotency-Key must have 1 to 200 characters of ASCII, and no space.',
    );
  return key;
}

import { packageVersion } from '../index.js';
import { changes, isShared, type Route } from './route.js';
import { count, listOf, object, text, type Schema } from './schema.js';

const problem = {
  ...object(
    {
      type: text,
      title: text,
      status: count,
      detail: text,
      code: text,
      hint: text,
      issues: listOf(object({ path: text, message: text })),
    },
    ['hint', 'issues'],
  ),
  description: 'RFC 9457.',
};

/** The document of OpenAPI 3.1 of these routes, below the place where it is. */
export function openApiOf(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = `/${route.path.replaceAll(/:(\w+)/g, '{$1}')}`;
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Chronis', version: packageVersion, description: 'Jobs, and what becomes of them.' },
    servers: [{ url: '.' }],
    paths,
    components: {
      schemas: { Problem: problem },
      responses: {
        Problem: {
          description: 'What stands in the way.',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

function operationOf(route: Route): object {
  const { name, summary, needs, status } = route;
  const actions = typeof needs === 'string' ? [needs] : Object.values(needs.actions);
  const { body } = route;
  return {
    operationId: name,
    summary,
    description: `Needs ${actions.map((action) => `"${action}"`).join(' or ')}.`,
    parameters: parametersOf(route),
    ...(body !== undefined && {
      requestBody: {
        required: (body.required ?? []).length > 0,
        content: { 'application/json': { schema: body } },
      },
    }),
    responses: {
      [status]: answerOf(route),
      // A change may find that all is done already.
      ...(status !== 200 && status !== 204 && { 200: answerOf(route) }),
      ...(isShared(route) && { 304: { description: 'It is as `If-None-Match` says.' } }),
      ...(changes(route) && { 405: { $ref: '#/components/responses/Problem' } }),
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

/** What a request says outside of its body. */
export function parametersOf(route: Route): {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Schema;
  description?: string;
}[] {
  const { path, parameters = {}, takesRevision, takesKey } = route;
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  return [
    ...inPath.map((name) => ({ name, in: 'path' as const, required: true, schema: text })),
    ...Object.entries(parameters).map(([name, schema]) => ({
      name,
      in: 'query' as const,
      required: false,
      schema,
      ...(typeof schema.description === 'string' && { description: schema.description }),
    })),
    ...(takesRevision
      ? [header('If-Match', 'The ETag of the job: 412 where somebody else has changed it.')]
      : []),
    ...(isShared(route)
      ? [header('If-None-Match', 'The ETag of an answer to the same: 304 where it would be the same again.')]
      : []),
    ...(takesKey ? [header('Idempotency-Key', 'However often it is sent, it is done once.')] : []),
  ];
}

function header(name: string, description: string) {
  return { name, in: 'header' as const, required: false, schema: text, description };
}

function answerOf({ answer, summary, isStream }: Route): object {
  if (answer === undefined) return { description: 'It is done.' };
  const type = isStream ? 'text/event-stream' : 'application/json';
  return { description: summary, content: { [type]: { schema: answer } } };
}

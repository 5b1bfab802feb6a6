import { InvalidOptionError, type Definition } from '../../index.js';
import { HttpProblem } from '../problem.js';
import type { Call } from '../route.js';

/** A namespace that somebody has named is kept as a definition without steps, under this name. */
export const namespaceMark = 'chronosched.namespace';

/** The namespace that the request names, in its path, its query or its body. Tenants have one of their own. Throws InvalidOptionError: it names two. */
export function spaceOf({ params, query, body }: Call): { namespace?: string } {
  const named = [params.namespaceId, query.namespace, body.namespace].filter((name) => name !== undefined);
  const [first] = named as string[];
  if (first === undefined) return {};
  if (named.every((name) => name === first)) return { namespace: first };
  throw new InvalidOptionError(
    'namespace',
    `is ${JSON.stringify(first)}, and ${JSON.stringify(named.find((name) => name !== first))} as well. Give it once.`,
  );
}

/** Names one version of a definition: `mail@3`. Without a version it is the latest. Throws InvalidOptionError. */
export function definitionIn(id: unknown): { name: string; version?: number } {
  if (typeof id !== 'string' || id === '')
    throw new InvalidOptionError('defId', 'must be the id of a definition, such as "mail@3".');
  const found = /^(.+)@(\d{1,9})$/s.exec(id);
  return found === null ? { name: id } : { name: found[1]!, version: Number(found[2]) };
}

/** The id of a job of a DAG: of its DAG, a full stop, and its step, which holds none. */
export function jobIdOf(dagId: string, step: string): string {
  return `${dagId}.${step}`;
}

/** null: it cannot be one of a DAG. */
export function dagJobIn(id: unknown): { dagId: string; step: string } | null {
  const at = typeof id === 'string' ? id.lastIndexOf('.') : -1;
  return at < 1 ? null : { dagId: (id as string).slice(0, at), step: (id as string).slice(at + 1) };
}

/** A version that jobs can be made of. Throws HttpProblem (404). */
export function living(found: Definition | null, id: string): Definition {
  if (found !== null && found.deletedAt === null) return found;
  throw new HttpProblem(
    404,
    'http.no-definition',
    found === null
      ? `There is no definition ${JSON.stringify(id)}.`
      : `The definition ${JSON.stringify(id)} was deleted. Take another version of it.`,
  );
}

import { EmptyJobIdError, InvalidJobIdError, InvalidOptionError } from '../model/errors.js';
import type { JobRef } from '../model/job.js';
import { described, knownOptions, lineOfText } from './option.checks.js';

export const defaultNamespace = 'default';
const maxIdLength = 255;
const unprintable = /[\p{Cc}\p{Surrogate}]/u;

/** A job id that can be stored. Throws EmptyJobIdError, InvalidJobIdError. */
export function assertJobId(id: unknown, fixOfEmpty?: string): string {
  if (id === null || id === undefined) throw new EmptyJobIdError(fixOfEmpty);
  if (typeof id !== 'string')
    throw new InvalidJobIdError(`The job id must be a string, but is ${described(id)}.`);
  if (id.trim() === '') throw new EmptyJobIdError(fixOfEmpty);
  if (id.length > maxIdLength) {
    throw new InvalidJobIdError(
      `The job id has ${id.length} characters; at most ${maxIdLength} are allowed.`,
    );
  }
  if (unprintable.test(id)) {
    throw new InvalidJobIdError(
      `The job id ${JSON.stringify(id)} holds control characters or halves of surrogate pairs, which cannot be stored.`,
    );
  }
  return id;
}

/** A namespace that can be stored; not given: the default one. */
export function namespaceOf(given: unknown): string {
  if (given === undefined) return defaultNamespace;
  const namespace = lineOfText(given, 'namespace');
  // Ids are written as namespace/id where one text must name the job.
  if (namespace.includes('/'))
    throw new InvalidOptionError('namespace', `'${namespace}' must not hold a "/".`);
  return namespace;
}

/** Where to find a job. @publicApi */
export interface NamespaceOption {
  /** @default 'default' */
  namespace?: string;
}

/** Of a job that is there nothing can be left out. */
export const lookUp = 'Give the id of the job.';

/** The job that a call is about, by its options, of which it may have more than all such calls have. */
export function jobRef(
  id: unknown,
  options: NamespaceOption,
  call: string,
  more: readonly string[] = [],
): JobRef {
  const { namespace } = knownOptions(options, ['namespace', 'manager', ...more], call);
  return { namespace: namespaceOf(namespace), id: assertJobId(id, lookUp) };
}

/** One text that names a job in all namespaces. */
export function refKey({ namespace, id }: JobRef): string {
  return `${namespace}/${id}`;
}

import { DuplicateHandlerError, DuplicateJobError } from '../model/errors.js';
import { refKey } from '../scheduler/job.identity.js';
import type { DeclaredHandler, DeclaredJob, DeclaredWorkflow } from './declared.job.js';
import type { UnmarkedPayload } from './unmarked.payload.js';

/** Where a declaration was found; two providers may share a class, and two classes a name. */
export interface Origin {
  place: string;
  provider: string;
  prototype: object;
}

/** What is being found, by what must not occur twice. */
export interface Findings {
  jobs: Map<string, DeclaredJob & Origin>;
  /** By all their names. */
  handlers: Map<string, DeclaredHandler & Origin>;
  workflows: DeclaredWorkflow[];
  unapplied: { place: string; decorators: string[] }[];
  unmarked: ({ place: string } & UnmarkedPayload)[];
  minified: Set<string>;
}

/** Throws DuplicateJobError. */
export function addJob({ jobs }: Findings, job: DeclaredJob & Origin): void {
  const key = refKey(job.definition);
  const other = jobs.get(key);
  if (other) throw new DuplicateJobError(job.definition.id, ...places(other, job));
  jobs.set(key, job);
}

/** Throws DuplicateHandlerError. */
export function addHandler({ handlers }: Findings, handler: DeclaredHandler & Origin): void {
  for (const name of new Set([handler.name, ...(handler.options.previousNames ?? [])])) {
    const other = handlers.get(name);
    if (other) throw new DuplicateHandlerError(name, ...places(other, handler));
    handlers.set(name, handler);
  }
}

/** With the providers, where two have methods of one name. */
function places(first: Origin, second: Origin): [string, string] {
  const isSame = first.provider === second.provider && first.prototype === second.prototype;
  if (first.place !== second.place || isSame) return [first.place, second.place];
  const other = first.provider === second.provider ? ' of another class of that name' : '';
  return [`${first.place} (${first.provider})`, `${second.place}${other} (${second.provider})`];
}

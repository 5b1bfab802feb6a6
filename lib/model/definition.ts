import type { JobSource } from './job.js';
import type { JsonObject } from './json.js';

/** What a definition is of: a job of a handler, a job with a task, or a graph of steps as data. @publicApi */
export type DefinitionKind = 'handler' | 'task' | 'workflow';

/** Names a definition in all of its versions. */
export interface DefinitionRef {
  namespace: string;
  /** Unique in its namespace. */
  name: string;
}

/** One version of what jobs can be started from. It never changes: other content is another version. @publicApi */
export interface Definition extends DefinitionRef {
  /** From 1. */
  version: number;
  kind: DefinitionKind;
  /** Whose handlers it names: the option `app` of the processes that have them. */
  app: string;
  /** `code`: put at the start of a process whose code declares it. */
  source: JobSource;
  /** What is to be run, by its kind. */
  spec: JsonObject;
  /** JSON Schema of the params; null: anything goes. */
  paramsSchema: JsonObject | null;
  /** Of all that the version consists of: two of the same hash are the same. */
  hash: string;
  createdAt: Date;
  createdBy: string | null;
  /** What runs of it goes on; nothing is started from it any more. null: it lives. */
  deletedAt: Date | null;
}

/** In the metadata of a job: the version that it was started from, as `definitionReference` says it. As long as the job is there, that version is. @publicApi */
export const definitionKey = 'chronis_definition';

/** In the metadata of a job whose handler is a workflow in the code: the number of the version that its runs open as, whatever the code of the process has. */
export const pinnedKey = 'chronis_version';

/** `nightly@3`. @publicApi */
export function definitionReference({ name, version }: Pick<Definition, 'name' | 'version'>): string {
  return `${name}@${version}`;
}

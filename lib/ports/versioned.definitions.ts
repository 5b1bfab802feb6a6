import type { Definition, DefinitionKind, DefinitionRef } from '../model/definition.js';
import type { Page } from '../model/job.js';
import type { EpochMs } from './epoch.ms.js';
import type { PageRequest } from './queries.js';

/** A version to be stored, if it is not there. */
export interface NewDefinition extends Omit<Definition, 'version' | 'createdAt' | 'deletedAt'> {
  /** Which version it is to be; null: the same content is the version that it is already, other content the next one. */
  version: number | null;
  /** Of what has no version given, what may be the same: the latest version that lives, or any. @default 'latest' */
  sameAs?: 'latest' | 'any';
}

/** What became of one item of `putDefinitions`; items do not affect each other. `conflict`: there is such a version, which has other content, or is deleted. */
export interface PutDefinition {
  status: 'created' | 'existing' | 'conflict';
  /** What is stored. */
  definition: Definition;
}

export interface DefinitionFilter {
  namespace?: string | readonly string[];
  name?: string | readonly string[];
  kind?: DefinitionKind | readonly DefinitionKind[];
  app?: string | readonly string[];
  /** Of each name only the latest version that lives. @default false */
  latest?: boolean;
  /** Those that are deleted as well. @default false */
  deleted?: boolean;
}

/**
 * Versions of definitions: unique by namespace, name and version, written once, and never changed but for being deleted, which is a mark. The latest of a name is the one with the highest number that is not deleted.
 *
 * A version is referred to by a job of its namespace, whatever its state, whose metadata names it (`definitionKey`, `definitionReference`), and by a flow of its namespace with its name as `workflow` and its `version`, as long as
 * that is stored; one of the code (`source`) by those of any namespace, as tenants run it.
 */
export interface DefinitionStorage {
  /**
   * One result per item, in order; of several with the same name the first is stored before the next is looked at. The next version is one more than the highest that is stored, deleted ones
   * included. Of any number of callers that put the same content at once one creates a version, and the others get it.
   */
  putDefinitions(definitions: readonly NewDefinition[]): Promise<PutDefinition[]>;
  /** `version` null: the latest. One that is asked for by its number may be deleted. Null: not there. */
  getDefinition(ref: DefinitionRef, version: number | null): Promise<Definition | null>;
  /** Ordered by namespace, name and version. */
  queryDefinitions(filter: DefinitionFilter, page: PageRequest): Promise<Page<Definition>>;
  /** Marks this version, null: all of that name, as deleted. Returns how many were not before. */
  deleteDefinition(ref: DefinitionRef, version: number | null): Promise<number>;
  /**
   * Removes versions that were deleted before this time and that nothing refers to; `limit` at most. The highest number of a name goes last, in a further call, so that no number is given twice as long as one of that name is stored. `archived`: into the history, where the storage has one, by the same statement. Returns how many.
   * `StorageAdapter.prune` does the same for what was deleted longer ago than the ledger is kept.
   */
  pruneDefinitions(deletedBefore: EpochMs, limit: number, archived?: boolean): Promise<number>;
}

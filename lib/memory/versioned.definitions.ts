import {
  definitionKey,
  definitionReference,
  type Definition,
  type DefinitionRef,
} from '../model/definition.js';
import type { Page } from '../model/job.js';
import type {
  DefinitionFilter,
  DefinitionStorage,
  EpochMs,
  NewDefinition,
  PageRequest,
  PutDefinition,
} from '../ports/storage.adapter.js';
import { is } from './filtering.js';
import { pageOf } from './paging.js';
import { keyOf, type MemoryTables, type Step } from './tables.js';

/** Definitions in memory. Rows are never changed in place. */
export class MemoryDefinitions implements DefinitionStorage {
  constructor(private readonly atomically: <T>(step: Step<T>, kind?: 'read') => Promise<T>) {}

  putDefinitions(definitions: readonly NewDefinition[]): Promise<PutDefinition[]> {
    return this.atomically((tables, now) => definitions.map((each) => putDefinition(tables, now, each)));
  }

  getDefinition(ref: DefinitionRef, version: number | null): Promise<Definition | null> {
    return this.atomically((tables) => {
      const versions = versionsOf(tables, ref);
      const found = version === null ? latestOf(versions) : versions.find((each) => each.version === version);
      return found ?? null;
    }, 'read');
  }

  queryDefinitions(filter: DefinitionFilter, page: PageRequest): Promise<Page<Definition>> {
    return this.atomically((tables) => queryDefinitions(tables, filter, page), 'read');
  }

  deleteDefinition(ref: DefinitionRef, version: number | null): Promise<number> {
    return this.atomically((tables, now) => deleteDefinition(tables, now, ref, version));
  }

  pruneDefinitions(deletedBefore: EpochMs, limit: number): Promise<number> {
    return this.atomically((tables) => pruneDefinitions(tables, deletedBefore, limit));
  }
}

function putDefinition(
  tables: MemoryTables,
  now: EpochMs,
  { sameAs, ...given }: NewDefinition,
): PutDefinition {
  const versions = versionsOf(tables, given);
  const same = sameAs === 'any' ? versions.filter(({ hash }) => hash === given.hash) : versions;
  const there =
    given.version === null ? latestOf(same) : versions.find(({ version }) => version === given.version);
  const isSame = there?.hash === given.hash && there.deletedAt === null;
  if (isSame) return { status: 'existing', definition: there };
  if (there !== undefined && given.version !== null) return { status: 'conflict', definition: there };
  const version = given.version ?? (versions.at(-1)?.version ?? 0) + 1;
  const definition = structuredClone({ ...given, version, createdAt: new Date(now), deletedAt: null });
  setVersions(tables, given, [...versions, definition]);
  return { status: 'created', definition };
}

function queryDefinitions(
  { definitions }: MemoryTables,
  { namespace, name, kind, app, latest = false, deleted = false }: DefinitionFilter,
  page: PageRequest,
): Page<Definition> {
  const found = [...definitions.values()].flatMap((versions) => {
    const last = latestOf(versions);
    return versions.filter(
      (each) =>
        is(each.namespace, namespace) &&
        is(each.name, name) &&
        is(each.kind, kind) &&
        is(each.app, app) &&
        (latest ? each === last : deleted || each.deletedAt === null),
    );
  });
  return pageOf(
    found,
    page,
    ({ namespace: place, name: nth, version }) => [place, nth, version],
    (each) => each,
  );
}

function deleteDefinition(
  tables: MemoryTables,
  now: EpochMs,
  ref: DefinitionRef,
  version: number | null,
): number {
  const versions = versionsOf(tables, ref);
  const isMeant = (each: Definition): boolean =>
    each.deletedAt === null && (version === null || each.version === version);
  const deletedAt = new Date(now);
  setVersions(
    tables,
    ref,
    versions.map((each) => (isMeant(each) ? { ...each, deletedAt } : each)),
  );
  return versions.filter(isMeant).length;
}

export function pruneDefinitions(tables: MemoryTables, deletedBefore: EpochMs, limit: number): number {
  const gone = [...tables.definitions.values()]
    .flatMap((versions) =>
      versions.filter(
        ({ deletedAt, version }) =>
          deletedAt !== null &&
          deletedAt.getTime() < deletedBefore &&
          (version !== versions.at(-1)!.version || versions.length === 1),
      ),
    )
    .filter((each) => !isReferredTo(tables, each))
    .slice(0, limit);
  for (const each of gone) {
    setVersions(
      tables,
      each,
      versionsOf(tables, each).filter(({ version }) => version !== each.version),
    );
  }
  return gone.length;
}

function isReferredTo({ jobs, flows }: MemoryTables, definition: Definition): boolean {
  const reference = definitionReference(definition);
  // What the code declares is run in any namespace: by tenants.
  const isWithin = (namespace: string): boolean =>
    definition.source === 'code' || namespace === definition.namespace;
  for (const { definition: job } of jobs.values()) {
    if (isWithin(job.namespace) && job.metadata[definitionKey] === reference) return true;
  }
  for (const { namespace, workflow, version } of flows.values()) {
    const { name, version: nth } = definition;
    if (isWithin(namespace) && workflow === name && version === nth) return true;
  }
  return false;
}

function versionsOf({ definitions }: MemoryTables, ref: DefinitionRef): readonly Definition[] {
  return definitions.get(definitionKeyOf(ref)) ?? [];
}

function setVersions(
  { definitions }: MemoryTables,
  ref: DefinitionRef,
  versions: readonly Definition[],
): void {
  const key = definitionKeyOf(ref);
  if (versions.length === 0) definitions.delete(key);
  else
    definitions.set(
      key,
      versions.toSorted((one, other) => one.version - other.version),
    );
}

function latestOf(versions: readonly Definition[]): Definition | undefined {
  return versions.findLast(({ deletedAt }) => deletedAt === null);
}

function definitionKeyOf({ namespace, name }: DefinitionRef): string {
  return keyOf({ namespace, id: name });
}

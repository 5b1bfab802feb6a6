import { randomUUID } from 'node:crypto';
import { InvalidOptionError } from '../model/errors.js';
import type { Definition } from '../model/definition.js';
import type { Page } from '../model/job.js';
import type { DurationInput } from '../model/trigger.js';
import type { DefinitionFilter, PageRequest } from '../ports/storage.adapter.js';
import { bounded } from '../scheduler/audited.details.js';
import type { ManagerOption } from '../scheduler/job.access.js';
import { namespaceOf, type NamespaceOption } from '../scheduler/job.identity.js';
import { each, pageKeys, pageOf } from '../scheduler/job.query.js';
import { appName } from '../scheduler/names.js';
import { knownOptions, lineOfText, oneOf, trueOrFalse } from '../scheduler/option.checks.js';
import { Tenancy, type TenantOptions } from '../scheduler/tenancy.js';
import { parseDelay } from '../triggers/duration.js';
import { definitionAccess, type DefinitionParts } from './definition.access.js';
import { definitionRef, missingDefinition, versionOf } from './definition.checks.js';
import {
  definitionQueryKeys,
  type DefineOptions,
  type DefinitionQuery,
  type DefinitionInput,
  type StartOptions,
  type VersionOption,
} from './definition.options.js';
import { DefinitionStarter, type StartedDefinition } from './definition.starter.js';
import { DefinitionWriter, type DefineManyResult, type DefineResult } from './definition.writer.js';
import { confinedDefinitions, type TenantDefinitions } from './tenant.definitions.js';

/** Which versions are removed. @publicApi */
export interface DefinitionPruning {
  /** Those that were deleted longer ago than this: milliseconds, or text such as '30d'. */
  olderThan: DurationInput;
}

const kinds = ['handler', 'task', 'workflow'] as const;
const prunedPerStep = 1_000;

/**
 * Jobs and workflows as data, in versions: a definition says under a name which handler is run with which payload and policies, or the steps of a workflow; jobs are started from it with params. A version never changes: other content is the next one, and what was
 * started from an earlier one goes on with that. Inject it anywhere; it works as SchedulerService does, and `{ manager }` makes a call part of the caller's transaction.
 *
 * Throws DefinitionsNotSupportedError where the storage keeps none.
 * @publicApi
 */
export class DefinitionService {
  private readonly writer: DefinitionWriter;
  private readonly starter: DefinitionStarter;

  constructor(private readonly parts: DefinitionParts) {
    this.writer = new DefinitionWriter(parts);
    this.starter = new DefinitionStarter(parts);
  }

  /**
   * Stores a definition: what the latest version of its name says already is that one (`existing`), other content is the next version. Throws DefinitionVersionTakenError (`version`), HandlerNotFoundError, InvalidOptionError,
   * InvalidScheduleError, InvalidPayloadError.
   */
  async define(
    definition: DefinitionInput,
    options: DefineOptions & ManagerOption = {},
  ): Promise<DefineResult> {
    return this.writer.one(definition, options);
  }

  /** The same for many at once: one result per item, in order. An item that is invalid, or whose version is taken, is `rejected` by itself; the others are stored together. */
  async defineMany(
    definitions: readonly DefinitionInput[],
    options: DefineOptions & ManagerOption = {},
  ): Promise<DefineManyResult[]> {
    return this.writer.many(definitions, options);
  }

  /** The latest version, or the one that is asked for, also if it is deleted. null: there is none. */
  async get(
    name: string,
    options: VersionOption & NamespaceOption & ManagerOption = {},
  ): Promise<Definition | null> {
    const { ref, version, definitions } = await this.found(name, options, 'get()');
    return definitions.getDefinition(ref, version);
  }

  /** By namespace, name and version; 100 at a time unless `limit` says otherwise (up to 1,000). */
  async list(
    query: DefinitionQuery & PageRequest = {},
    within: ManagerOption = {},
  ): Promise<Page<Definition>> {
    knownOptions(query, [...definitionQueryKeys, ...pageKeys], 'list()');
    knownOptions(within, ['manager'], 'the last argument of list()');
    const { definitions } = await definitionAccess(this.parts, within);
    return definitions.queryDefinitions(filterOf(query), pageOf(query));
  }

  /**
   * Marks a version as deleted, or all of the name: nothing is started from it any more, and what was goes on. Returns how many. It is stored as long as a job refers to it, and then as long as the record. Throws
   * DefinitionNotFoundError.
   */
  async delete(name: string, options: VersionOption & NamespaceOption & ManagerOption = {}): Promise<number> {
    const { ref, version, definitions } = await this.found(name, options, 'delete()');
    const count = await definitions.deleteDefinition(ref, version);
    if (count === 0) throw await missingDefinition(ref, version, definitions);
    return count;
  }

  /**
   * Makes a job of a definition, with its payload filled by `params`: a one-off, or, if the definition has `cron` or `every`, one that recurs. Throws DefinitionNotFoundError (also of one that is deleted), InvalidPayloadError
   * (`params` do not fit its schema, or lack what its payload needs), and what creating a job throws.
   */
  async start(
    name: string,
    options: StartOptions = {},
    within: ManagerOption = {},
  ): Promise<StartedDefinition> {
    return this.starter.start(name, options, within);
  }

  /**
   * Removes what was deleted so long ago and nothing refers to, no job and no workflow that was started, into the history, unless `keepHistory` of this process is 'none'. The janitor does so when it is as old as the ledger is kept. Returns how many versions. It is
   * part of no transaction. Throws InvalidOptionError, InvalidScheduleError (olderThan), TransactionNotSupportedError (within one).
   */
  async prune(options: DefinitionPruning): Promise<number> {
    const { olderThan } = knownOptions(options, ['olderThan'], 'prune()') as unknown as DefinitionPruning;
    if (olderThan === undefined)
      throw new InvalidOptionError('olderThan', 'is missing. Give for example "30d".');
    const ageMs = parseDelay(olderThan, 'olderThan');
    await this.parts.transactions.refuse('definitions.prune()');
    const audited = { details: { olderThan: bounded(olderThan) }, batch: randomUUID() };
    const { definitions } = await definitionAccess(this.parts, { manager: null }, () => audited);
    const before = (await this.parts.storage.now()) - ageMs;
    let sum = 0;
    for (let count = 1; count > 0; sum += count)
      count = await definitions.pruneDefinitions(before, prunedPerStep, this.parts.keepsHistory);
    return sum;
  }

  /** The definitions of one tenant: the same methods for those in its namespace, see `SchedulerService.forTenant`; the jobs that are started are the tenant's. Throws InvalidOptionError. */
  forTenant(tenant: string, options: TenantOptions = {}): TenantDefinitions {
    return confinedDefinitions(this, new Tenancy(tenant, options));
  }

  private async found(name: string, options: VersionOption & NamespaceOption & ManagerOption, call: string) {
    const { version, namespace } = knownOptions(options, ['version', 'namespace', 'manager'], call);
    const ref = definitionRef(name, namespace);
    const { definitions } = await definitionAccess(this.parts, options);
    return { ref, version: versionOf(version), definitions };
  }
}

function filterOf({ namespace, name, kind, app, latest, deleted }: DefinitionQuery): DefinitionFilter {
  const text = (given: string | string[], option: string): string | string[] =>
    each(given, (item) => lineOfText(item, option));
  return {
    ...(namespace !== undefined && { namespace: each(namespace, namespaceOf) }),
    ...(name !== undefined && { name: text(name, 'name') }),
    ...(kind !== undefined && { kind: each(kind, (item) => oneOf(item, 'kind', kinds)) }),
    ...(app !== undefined && { app: each(app, appName) }),
    ...(latest !== undefined && { latest: trueOrFalse(latest, 'latest') }),
    ...(deleted !== undefined && { deleted: trueOrFalse(deleted, 'deleted') }),
  };
}

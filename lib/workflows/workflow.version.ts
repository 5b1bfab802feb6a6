import {
  definitionRef,
  missingDefinition,
  versionOf,
  withoutReference,
} from '../definitions/definition.checks.js';
import { assertParams } from '../definitions/params.schema.js';
import { openingPayload, planOfDefinition } from '../definitions/workflow.definition.js';
import { workflowHandler } from '../engine/own.handlers.js';
import { definitionKey, definitionReference, pinnedKey, type Definition } from '../model/definition.js';
import { DefinitionsNotSupportedError, InvalidOptionError } from '../model/errors.js';
import { toJson, type JsonObject } from '../model/json.js';
import type { DefinitionStorage, StorageAdapter } from '../ports/storage.adapter.js';
import type { GivenJob } from '../scheduler/create.options.js';
import type { JobAccess } from '../scheduler/job.access.js';
import type { JobCreator } from '../scheduler/job.creator.js';
import { metadataOf, type JobDefaults } from '../scheduler/job.definition.js';
import { namespaceOf } from '../scheduler/job.identity.js';
import { stepUses } from './workflow.plan.js';

/** What a version says of its jobs that holds for a run of it that is started by hand: not when. */
const saidOfJobs: readonly string[] = ['queue', 'priority', 'onSuccess', 'onFailure', 'keep'];

/** What a start of a version works with. */
export interface VersionParts {
  creator: JobCreator;
  defaults: JobDefaults;
  storage: Pick<StorageAdapter, 'kind'>;
}

/** A start of a workflow that asks for a version. */
export interface VersionStart {
  workflow: GivenJob['handler'];
  name: string;
  version: unknown;
  params: unknown;
  namespace: string | undefined;
  metadata: JsonObject | undefined;
  /** Where the workflow is that the code declares. */
  ofCode: string | undefined;
  /** Whose workflow is meant: names are those of all apps. */
  app: string;
}

/**
 * The job whose run opens as this very version: one of the code is opened by its own handler, with its schema, and one that is data by that of this package. Throws DefinitionNotFoundError (also of one that is deleted), HandlerNotFoundError,
 * InvalidOptionError, InvalidPayloadError.
 */
export async function versionedJob(
  { workflow, name, version, params, namespace, metadata = {}, ofCode, app: wanted }: VersionStart,
  now: number,
  access: JobAccess,
  { creator, defaults, storage }: VersionParts,
): Promise<GivenJob> {
  const { definitions } = access.jobs;
  if (definitions === undefined) throw new DefinitionsNotSupportedError(storage.kind);
  const found = await storedVersion(name, version, [namespace, ofCode], definitions);
  const { spec, source, app, paramsSchema, hash } = found;
  if (app !== wanted) throw ofAnotherApp(found, wanted);
  await creator.assertStepsKnown(stepUses(planOfDefinition(name, spec)), now, access, app);
  const said = Object.entries(spec).filter(([key]) => saidOfJobs.includes(key));
  const reference = definitionReference(found);
  const own = withoutReference(metadataOf(metadata, defaults));
  const job = { ...Object.fromEntries(said), app };
  const marked = { ...(spec.metadata as JsonObject | undefined), ...own, [definitionKey]: reference };
  if (source === 'code') {
    const pinned = { ...marked, [pinnedKey]: found.version };
    return { ...job, handler: workflow, payload: params, metadata: pinned } as GivenJob;
  }
  const given = toJson(params ?? null, 'params', defaults.payloadLimit);
  if (paramsSchema !== null) assertParams(paramsSchema, hash, given, `the definition ${reference}`);
  return {
    ...job,
    handler: workflowHandler,
    payload: openingPayload(found, given),
    metadata: marked,
  } as GivenJob;
}

function ofAnotherApp({ name, version, app }: Definition, wanted: string): InvalidOptionError {
  return new InvalidOptionError(
    'version',
    `${version} of "${name}" is of the app "${app}", and the start is for "${wanted}". Give { app: '${app}' } if that is meant, or a version of "${wanted}": DefinitionService.list({ name: '${name}', app: '${wanted}' }) shows them.`,
  );
}

/** In the namespace of the start; else what the code has declared in its own, for starts in the namespaces of others. */
async function storedVersion(
  name: string,
  given: unknown,
  [namespace, ofCode]: readonly [string | undefined, string | undefined],
  definitions: DefinitionStorage,
): Promise<Definition> {
  const version = versionOf(given);
  const ref = definitionRef(name, namespace);
  const code = { ...ref, namespace: namespaceOf(ofCode) };
  const own = await definitions.getDefinition(ref, version);
  const there = own ?? (await definitions.getDefinition(code, version));
  const found = own !== null || there?.source === 'code' ? there : null;
  if (found === null || found.deletedAt !== null) {
    const latest = await definitions.getDefinition(ref, null);
    const isOfCode = latest === null && (await definitions.getDefinition(code, null))?.source === 'code';
    throw await missingDefinition(isOfCode ? code : ref, version, definitions);
  }
  if (found.kind === 'workflow') return found;
  throw new InvalidOptionError(
    'workflow',
    `is the definition "${name}", which is of a ${found.kind}. Start it by DefinitionService.start().`,
  );
}

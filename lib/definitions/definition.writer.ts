import type { Definition } from '../model/definition.js';
import {
  DefinitionVersionTakenError,
  InvalidOptionError,
  WorkflowsNotSupportedError,
} from '../model/errors.js';
import { toJson, type JsonObject } from '../model/json.js';
import type { NewDefinition, PutDefinition } from '../ports/storage.adapter.js';
import type { GivenJob } from '../scheduler/create.options.js';
import { hashOf } from '../scheduler/definition.hash.js';
import { isReference } from '../scheduler/handler.reference.js';
import { allowsUnknown, handlerUses } from '../scheduler/handler.uses.js';
import type { JobAccess, ManagerOption } from '../scheduler/job.access.js';
import { metadataOf } from '../scheduler/job.definition.js';
import { appName } from '../scheduler/names.js';
import { described, knownOptions, lineOfText } from '../scheduler/option.checks.js';
import { scheduledTrigger } from '../scheduler/schedule.options.js';
import { definitionAccess, type DefinitionAccess, type DefinitionParts } from './definition.access.js';
import { definitionRef, versionOf, withoutReference } from './definition.checks.js';
import type {
  DataWorkflow,
  DefineOptions,
  DefinitionInput,
  HandlerDefinition,
  TaskDefinition,
} from './definition.options.js';
import { handlerSpec, taskSpec } from './handler.definition.js';
import { assertParamsSchema } from './params.schema.js';
import { jobShape, recurs } from './started.job.js';
import { kindOf, planOfDefinition, workflowSpec } from './workflow.definition.js';
import { stepUses } from '../workflows/workflow.plan.js';

/** What became of a definition. `existing`: it is stored with this content already. @publicApi */
export interface DefineResult {
  status: 'created' | 'existing';
  definition: Definition;
}

/** What became of one item of `defineMany`. @publicApi */
export type DefineManyResult =
  | DefineResult
  /** Nothing was stored for this item. */
  | { status: 'rejected'; error: unknown };

/** Puts definitions: checked before anything is stored, by the rules that the jobs have that are started from them. */
export class DefinitionWriter {
  constructor(private readonly parts: DefinitionParts) {}

  async one(given: DefinitionInput, options: DefineOptions & ManagerOption): Promise<DefineResult> {
    const [result] = await this.many([given], options, 'define()');
    if (result!.status === 'rejected') throw result!.error;
    return result as DefineResult;
  }

  async many(
    given: readonly DefinitionInput[],
    options: DefineOptions & ManagerOption,
    call = 'defineMany()',
  ): Promise<DefineManyResult[]> {
    if (!Array.isArray(given)) {
      throw new InvalidOptionError(
        'definitions',
        `defineMany() takes a list, but was given ${described(given)}.`,
      );
    }
    const { by } = knownOptions(options, ['by', 'manager'], `the last argument of ${call}`);
    const createdBy = by === undefined ? null : lineOfText(by, 'by');
    const within = await definitionAccess(this.parts, options);
    const results: DefineManyResult[] = [];
    const fit: { index: number; definition: NewDefinition }[] = [];
    for (const [index, item] of given.entries()) {
      try {
        fit.push({ index, definition: await this.checked(item, createdBy, within) });
      } catch (error) {
        results[index] = { status: 'rejected', error };
      }
    }
    const put = await within.definitions.putDefinitions(fit.map(({ definition }) => definition));
    for (const [nth, { index }] of fit.entries()) results[index] = resultOf(put[nth]!);
    return results;
  }

  private async checked(
    given: DefinitionInput,
    createdBy: string | null,
    { access }: DefinitionAccess,
  ): Promise<NewDefinition> {
    if (typeof given !== 'object' || given === null) {
      throw new InvalidOptionError('definition', `must be an object, but is ${described(given)}.`);
    }
    const { defaults, directory, storage } = this.parts;
    const kind = kindOf(given);
    if (kind === 'workflow' && storage.flows === undefined) {
      throw new WorkflowsNotSupportedError('A definition with steps', storage.kind);
    }
    const ofReference = 'handler' in given && isReference(given.handler) ? given.handler.defaults : {};
    const ref = definitionRef(given.name, given.namespace ?? ofReference.namespace);
    const spec = specOf(kind, given, defaults.payloadLimit);
    const givenApp = given.app ?? ofReference.app;
    const app = givenApp === undefined ? directory.app : appName(givenApp);
    const paramsSchema = this.schemaOf(given.params);
    const content = { kind, app, spec, paramsSchema };
    await this.assertJobs({ ...ref, ...content }, given, access);
    const version = versionOf(given.version);
    return { ...ref, ...content, version, hash: hashOf(content), source: 'api', createdBy };
  }

  private schemaOf(given: unknown): JsonObject | null {
    if (given === undefined) return null;
    const schema = toJson(given, 'params', this.parts.defaults.payloadLimit);
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
      throw new InvalidOptionError(
        'params',
        `must be a JSON Schema as an object, but is ${described(given)}.`,
      );
    }
    assertParamsSchema(schema);
    return schema;
  }

  /** Whether jobs could be made of it: by making one, which is not stored. */
  private async assertJobs(
    content: Pick<NewDefinition, 'name' | 'kind' | 'app' | 'spec'>,
    given: DefinitionInput,
    access: JobAccess,
  ): Promise<void> {
    const { creator, directory, defaults, time } = this.parts;
    const { name, kind, app, spec } = content;
    if (spec.metadata !== undefined) withoutReference(metadataOf(spec.metadata, defaults));
    const now = await time.now(access.jobs);
    const job = jobShape(content);
    const options: GivenJob = { ...job, app, ...(recurs(spec) ? { id: name } : {}) };
    const defined = creator.define(options, scheduledTrigger(job, now, 'define()'), now);
    if (allowsUnknown(given, directory.allowsUnknown)) return;
    const ofSteps = kind === 'workflow' ? stepUses(planOfDefinition(name, spec)) : [];
    const uses = [
      ...handlerUses({ ...defined, app, handler: kind === 'workflow' ? null : defined.handler }, given),
      ...ofSteps.map((use) => ({ ...use, app, isReference: false })),
    ];
    for (const use of uses) await directory.assertKnown(use, now, access.jobs);
  }
}

function specOf(kind: Definition['kind'], given: DefinitionInput, limitBytes: number): JsonObject {
  if (kind === 'workflow') return workflowSpec(given as DataWorkflow, limitBytes);
  if (kind === 'task') return taskSpec(given as TaskDefinition, limitBytes);
  return handlerSpec(given as HandlerDefinition, limitBytes);
}

function resultOf({ status, definition }: PutDefinition): DefineManyResult {
  if (status !== 'conflict') return { status, definition };
  const { name, namespace, version, deletedAt } = definition;
  const error = new DefinitionVersionTakenError(name, namespace, version, deletedAt !== null);
  return { status: 'rejected', error };
}

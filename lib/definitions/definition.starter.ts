import { definitionKey, definitionReference, pinnedKey, type Definition } from '../model/definition.js';
import type { Job } from '../model/job.js';
import { toJson, type JsonObject } from '../model/json.js';
import type { DefinitionStorage, JobStore } from '../ports/storage.adapter.js';
import type { GivenJob } from '../scheduler/create.options.js';
import type { ManagerOption } from '../scheduler/job.access.js';
import { metadataOf } from '../scheduler/job.definition.js';
import { assertJobId } from '../scheduler/job.identity.js';
import { knownOptions } from '../scheduler/option.checks.js';
import { assertSameApp } from '../scheduler/taken.key.js';
import { scheduledTrigger } from '../scheduler/schedule.options.js';
import { definitionAccess, type DefinitionParts } from './definition.access.js';
import { definitionRef, missingDefinition, versionOf, withoutReference } from './definition.checks.js';
import { startKeys, type StartOptions } from './definition.options.js';
import { assertParams } from './params.schema.js';
import { recurs, startedJob } from './started.job.js';

/** What became of a start. @publicApi */
export interface StartedDefinition {
  /** `existing`: a one-off with this key is there, from this start or another one · `replaced`: the job that recurs was there, and is one of this version now. */
  status: 'created' | 'existing' | 'replaced';
  job: Job;
  /** Of a one-off its run: what `waitForRun`, and for a workflow `WorkflowService`, takes. null: it recurs. */
  runId: string | null;
  /** Which version it was started from: of an existing job not necessarily its own, which `metadata` names. */
  version: number;
}

/** Makes jobs of definitions. */
export class DefinitionStarter {
  constructor(private readonly parts: DefinitionParts) {}

  async start(name: string, options: StartOptions, within: ManagerOption): Promise<StartedDefinition> {
    const { creator, time } = this.parts;
    knownOptions(options, startKeys, 'start()', {
      manager: 'Give it as an argument of its own, the last one: { manager }.',
      in: 'It is called "delay" here.',
      id: 'It is called "key" here.',
      payload: 'Its payload is filled with "params".',
    });
    knownOptions(within, ['manager'], 'the last argument of start()');
    const ref = definitionRef(name, options.namespace);
    const version = versionOf(options.version);
    const { access, definitions } = await definitionAccess(this.parts, within);
    const found = await definitions.getDefinition(ref, version);
    if (found === null || found.deletedAt !== null) throw await missingDefinition(ref, version, definitions);
    const meant = version === null ? await this.ofOwnCode(found, definitions) : found;
    const job = this.jobOf(meant, options);
    const trigger = scheduledTrigger(job, await time.now(access.jobs), 'start()');
    const stored = await creator.createOr(job, trigger, access);
    if (stored.status === 'existing') {
      const { directory, previousApps } = this.parts;
      assertSameApp(stored.job, { wanted: meant.app, app: directory.app, previousApps });
    }
    const runId = recurs(meant.spec) ? null : await runOf(stored.job, access.jobs);
    return { ...stored, runId, version: meant.version };
  }

  /** Another app may have a workflow of the same name in its code: that of this app is meant where it has one. */
  private async ofOwnCode(latest: Definition, definitions: DefinitionStorage): Promise<Definition> {
    const { directory } = this.parts;
    const { namespace, name } = latest;
    if (latest.app === directory.app || !(await directory.known()).has(name)) return latest;
    let own: Definition | null = null;
    let cursor: string | null = null;
    do {
      const filter = { namespace, name, kind: 'workflow' as const, app: directory.app };
      const page = await definitions.queryDefinitions(filter, cursor === null ? {} : { cursor });
      own = page.items.findLast(({ source }) => source === 'code') ?? own;
      ({ cursor } = page);
    } while (cursor !== null);
    return own ?? latest;
  }

  private jobOf(definition: Definition, options: StartOptions): GivenJob {
    const { payloadLimit } = this.parts.defaults;
    const params = toJson(options.params ?? null, 'params', payloadLimit);
    const { paramsSchema, hash, spec, name, namespace, app } = definition;
    const reference = definitionReference(definition);
    if (paramsSchema !== null) assertParams(paramsSchema, hash, params, `the definition ${reference}`);
    const { queue, priority, allowUnknownHandler } = options;
    const own = withoutReference(metadataOf(options.metadata ?? {}, this.parts.defaults));
    const job = startedJob(definition, params, options);
    const isPinned = definition.source === 'code' && options.version !== undefined;
    const pinned: JsonObject = isPinned ? { [pinnedKey]: definition.version } : {};
    const isRecurring = recurs(spec);
    const id = options.key === undefined ? (isRecurring ? name : undefined) : assertJobId(options.key);
    return {
      ...job,
      ...(queue === undefined ? {} : { queue }),
      ...(priority === undefined ? {} : { priority }),
      ...(allowUnknownHandler === undefined ? {} : { allowUnknownHandler }),
      ...(id === undefined ? {} : { id, onConflict: isRecurring ? 'replace' : 'ignore' }),
      namespace,
      app,
      metadata: { ...job.metadata, ...own, [definitionKey]: reference, ...pinned },
    };
  }
}

async function runOf({ id: jobId, namespace }: Job, jobs: JobStore): Promise<string | null> {
  const [run] = (await jobs.queryRuns({ jobId, namespace }, { limit: 1 })).items;
  return run?.id ?? null;
}

import { definitionRef } from '../definitions/definition.checks.js';
import type { OpeningPayload } from '../definitions/workflow.definition.js';
import { workflowHandler } from '../engine/own.handlers.js';
import {
  HandlerNotFoundError,
  InvalidOptionError,
  JobAlreadyExistsError,
  RunNotFoundError,
} from '../model/errors.js';
import type { Job } from '../model/job.js';
import type { JsonInput, JsonValue } from '../model/json.js';
import type { DurationInput, InstantInput } from '../model/trigger.js';
import type { JobOptions } from '../model/job.options.js';
import type { JobAccess, ManagerOption } from '../scheduler/job.access.js';
import type { NamespaceOption } from '../scheduler/job.identity.js';
import { isReference } from '../scheduler/handler.reference.js';
import { handlerName } from '../scheduler/names.js';
import { knownOptions } from '../scheduler/option.checks.js';
import type { StorageNow } from '../scheduler/storage.now.js';
import { assertSameApp } from '../scheduler/taken.key.js';
import { afterDelay } from '../scheduler/trigger.options.js';
import type { DefinedWorkflow } from './defined.workflow.js';
import { stepUses } from './workflow.plan.js';
import type { WorkflowRegistry } from './workflow.registry.js';
import { versionedJob, type VersionParts } from './workflow.version.js';

/** The workflow by its name, or by what `workflow()` has made. @publicApi */
export type WorkflowInput = string | DefinedWorkflow<any, any, any>;

/** The params of a workflow that is named: any `P` that is JSON, interfaces included. @publicApi */
export interface NamedParams<P> {
  /** What the workflow is started with. @default null */
  params?: JsonValue | (P & JsonInput<P>);
}

/** The arguments of `start` for a workflow with a type: its params may be left out where null or undefined is one. @publicApi */
export type StartArguments<Input> = null extends Input
  ? [options?: StartWorkflowOptions & { params?: Input }, within?: ManagerOption]
  : undefined extends Input
    ? [options?: StartWorkflowOptions & { params?: Input }, within?: ManagerOption]
    : [options: StartWorkflowOptions & { params: Input }, within?: ManagerOption];

/** How a workflow is started. @publicApi */
export interface StartWorkflowOptions
  extends NamespaceOption, Pick<JobOptions, 'queue' | 'priority' | 'metadata' | 'onSuccess' | 'onFailure'> {
  /** Idempotent: as long as a workflow with this key is stored in the namespace, another start gives that one, also when it was pruned, as long as `keep` says; one of another app is refused (JobAlreadyExistsError). It is the id of its job, at most 255 characters. @default a random UUID */
  key?: string;
  /**
   * The version of its definition that it is to be, as DefinitionService lists them: the graph and the timeout are those of that version, and stay so in later attempts and retries. The code of its steps is that of the process that runs them.
   * @default the one that the code has of the process which opens it
   */
  version?: number;
  /** When it begins. @default at once */
  at?: InstantInput;
  /** How much later it begins. Not with `at`. @default 0 */
  delay?: DurationInput;
  /** How long the whole may take; null: for ever. @default that of the workflow */
  timeout?: DurationInput | null;
  /** How long its key counts as taken after its end. @default '30d' with a key, else 0 */
  keep?: DurationInput;
  /** The app whose workflow it is. @default the app of this process */
  app?: string;
}

/** A workflow that was started, now or earlier. @publicApi */
export interface StartedWorkflow {
  /** Of the run that it is: what the other calls take. */
  runId: string;
  /** `existing`: one with this key had been started before. */
  status: 'created' | 'existing';
}

const startKeys = [
  ...['params', 'version', 'key', 'at', 'delay', 'timeout', 'keep', 'app'],
  ...['namespace', 'queue', 'priority', 'metadata', 'onSuccess', 'onFailure'],
];
const hints = { id: 'Give it as "key".', payload: 'Give it as "params".', in: 'Give it as "delay".' };
const defaultKeep = '30d';

/** What starting works with. */
export interface StartParts extends VersionParts {
  time: StorageNow;
  registry: WorkflowRegistry;
  /** Of this process, and what it was called before. */
  app: string;
  previousApps: readonly string[];
}

/** Stores the one-off whose run the workflow is. Throws like `createDateJob`. */
export async function startWorkflow(
  workflow: WorkflowInput,
  options: StartWorkflowOptions & { params?: unknown },
  access: JobAccess,
  parts: StartParts,
): Promise<StartedWorkflow> {
  const given = knownOptions(options, startKeys, 'start()', hints) as typeof options;
  const { creator, time, registry } = parts;
  const { params, version, key, at, delay, keep, ...others } = given;
  if (at !== undefined && delay !== undefined) {
    throw new InvalidOptionError('delay', 'is given beside "at". Give one of them.');
  }
  const name = handlerName(workflow, 'workflow');
  const now = await time.now(access.jobs);
  const code = registry.get(name)?.defaults ?? (isReference(workflow) ? workflow.defaults : {});
  const { namespace = code.namespace, metadata = code.metadata } = others;
  const app = others.app ?? code.app ?? parts.app;
  const start = { workflow, name, version, params, namespace, metadata, ofCode: code.namespace, app };
  const pinned = version === undefined ? null : await versionedJob(start, now, access, parts);
  if (pinned === null) await assertHandlers(name, now, access, { creator, registry });
  const kept = keep ?? (key === undefined ? undefined : defaultKeep);
  const job = {
    ...code,
    ...(pinned ?? { handler: workflow, payload: params }),
    ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)),
    ...(pinned === null ? {} : { metadata: pinned.metadata }),
    onConflict: key === undefined ? ('raise' as const) : ('ignore' as const),
    ...(key === undefined ? {} : { id: key }),
    ...(kept === undefined ? {} : { keep: kept }),
  };
  const trigger = { type: 'at' as const, at: at ?? afterDelay(delay ?? 0, now) };
  const { status, job: stored } = await creator
    .createOr(job, trigger, access)
    .catch((error: unknown) => refuseStart(error, name, namespace, access));
  const ref = { jobId: stored.id, namespace: stored.namespace };
  if (stored.trigger.type !== 'at' || workflowOf(stored) !== name)
    throw new JobAlreadyExistsError(ref.jobId, ref.namespace, ofAnother(stored, name));
  if (status === 'existing')
    assertSameApp(stored, { wanted: app, app: parts.app, previousApps: parts.previousApps });
  const [run] = (await access.jobs.queryRuns(ref, { limit: 1 })).items;
  if (run === undefined) throw new RunNotFoundError(ref.jobId);
  return { runId: run.id, status: status === 'existing' ? 'existing' : 'created' };
}

function ofAnother(stored: Job, name: string): string {
  return `It is one of "${workflowOf(stored)}", and the start is of "${name}", so nothing was started. Choose another key, or another namespace.`;
}

/** One that is data, and of which no version is named, is no workflow of the code. */
async function refuseStart(
  error: unknown,
  name: string,
  namespace: string | undefined,
  { jobs }: JobAccess,
): Promise<never> {
  if (!(error instanceof HandlerNotFoundError) || jobs.definitions === undefined) throw error;
  const found = await jobs.definitions.getDefinition(definitionRef(name, namespace), null);
  if (found === null || found.deletedAt !== null || found.source === 'code') throw error;
  throw new InvalidOptionError(
    'workflow',
    `"${name}" is a definition that is data, and no workflow of the code has this name. Start it by DefinitionService.start("${name}"), or give the version that it is to be, such as { version: ${found.version} }.`,
  );
}

/** One that is data is opened by a handler of this package. */
function workflowOf({ handler, payload }: Pick<Job, 'handler' | 'payload'>): string {
  return handler === workflowHandler ? (payload as unknown as OpeningPayload).definition : handler;
}

/** A step that calls what nobody has would wait for ever. Throws HandlerNotFoundError. */
async function assertHandlers(
  name: string,
  now: number,
  access: JobAccess,
  { creator, registry }: Pick<StartParts, 'creator' | 'registry'>,
): Promise<void> {
  const known = registry.get(name);
  if (known === undefined) return;
  const { plan, code } = known;
  const within = new Set(code.definition.steps.flatMap(({ name: step, workflow }) => (workflow ? step : [])));
  const uses = stepUses(plan)
    .filter(({ step }) => !code.steps.has(step))
    .map((use) => ({ ...use, isWorkflow: within.has(use.step) }));
  await creator.assertStepsKnown(uses, now, access);
}

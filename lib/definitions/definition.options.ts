import type { DefinitionKind } from '../model/definition.js';
import type { CronTiming, IntervalTiming, JobOptions } from '../model/job.options.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { PriorityInput } from '../model/priority.js';
import type { TaskInput } from '../model/task.js';
import type { CronFields, DurationInput, InstantInput } from '../model/trigger.js';
import type { WorkflowStep } from '../model/workflow.js';
import type { OneOffOptions, Without } from '../scheduler/create.options.js';
import type { HandlerInput } from '../scheduler/handler.reference.js';
import { jobOptionKeys } from '../scheduler/job.definition.js';
import { allTimingKeys } from '../scheduler/schedule.options.js';

/** What every definition says about itself. @publicApi */
export interface DefinitionOptions {
  /** What it is started by: unique in its namespace, at most 200 characters. */
  name: string;
  /** Its own, and that of the jobs that are started from it. @default 'default' */
  namespace?: string;
  /** Which version this is to be, from 1. @default the one that has this content if that is the latest, else the next one */
  version?: number;
  /** JSON Schema (draft 2020-12, or 7 by `$schema`) of the params that it is started with, checked by ajv, an optional peer. @default any JSON */
  params?: JsonObject;
  /** Whose handlers it names. @default the app of this process */
  app?: string;
  /** Define it even if no worker has had its handlers yet. @default what the reference says, else the module */
  allowUnknownHandler?: boolean;
}

/** When a job of a definition runs: once, a while after its start; or again and again from its start on. */
type DefinitionTiming =
  | ({ delay?: DurationInput } & OneOffOptions &
      Without<'every' | 'cron' | 'overlap' | 'pauseAfterFailures' | 'lateAfter'>)
  | ({ every: DurationInput } & IntervalTiming & Without<'delay' | 'cron' | 'keep'>)
  | ({ cron: string | CronFields } & CronTiming & Without<'delay' | 'every' | 'keep'>);

/** What a definition says of jobs that are one run each. */
type JobsOfDefinition = DefinitionOptions &
  Omit<JobOptions, 'id' | 'name' | 'namespace' | 'payload'> &
  DefinitionTiming;

/** A job of a handler, to be started as often as it is needed. All options are JSON: give times as text. @publicApi */
export type HandlerDefinition = JobsOfDefinition &
  Without<'task'> & {
    handler: HandlerInput;
    /**
     * What the handler gets, with the params in it: `{ "$param": "/customer/id" }` is the value that the JSON Pointer names in the params, of its own type, `{ "$param": "/note", "default": "" }` the same with what it is where
     * there is none, and `{ "$literal": … }` its content as it is. @default the params themselves
     */
    payload?: JsonValue;
  };

/** A job with a task, to be started as often as it is needed. All options are JSON: give times as text. @publicApi */
export type TaskDefinition = JobsOfDefinition &
  Without<'handler' | 'payload'> & {
    /** Its type, and what the executor takes, with the params in it, as in the `payload` of a `HandlerDefinition`. */
    task: TaskInput;
  };

/** A workflow as data: its steps call handlers of the app by their names. Any worker of the app runs it. All options are JSON: give times as text. @publicApi */
export type DataWorkflow = DefinitionOptions &
  Omit<
    JobOptions,
    'id' | 'name' | 'namespace' | 'payload' | 'timeout' | 'maxRetries' | 'backoff' | 'recovery' | 'maxLost'
  > &
  DefinitionTiming & {
    /** See `WorkflowStep`. The `payload` of a step is a template, as that of a `HandlerDefinition`. */
    steps: readonly WorkflowStep[];
    /** How long the whole may take; then its run is `timed_out`, and what still waits is cancelled. null: for ever. @default null */
    timeout?: DurationInput | null;
  };

/** What can be defined. @publicApi */
export type DefinitionInput = HandlerDefinition | TaskDefinition | DataWorkflow;

/** How a definition is put. @publicApi */
export interface DefineOptions {
  /** Who defines it: kept with the version, if it is a new one. One line. @default nobody is named */
  by?: string;
}

/** With what, and when, a job is started from a definition. @publicApi */
export interface StartOptions {
  /** What its payload is filled with. @default null */
  params?: JsonValue;
  /** Which version; one that is deleted is refused. @default the latest */
  version?: number;
  /** @default 'default' */
  namespace?: string;
  /**
   * The id of the job, which makes the start idempotent: as long as there is a one-off with it, a further start gives that one, see `keep`; what recurs becomes a job of this version, with its history. @default a new id; of
   * what recurs the name of the definition
   */
  key?: string;
  /** When it is due. Not of what recurs. @default after the `delay` of the definition */
  at?: InstantInput;
  /** How long from now it is due. Not of what recurs. @default that of the definition, else 0 */
  delay?: DurationInput;
  /** @default that of the definition */
  queue?: string;
  /** @default that of the definition */
  priority?: PriorityInput;
  /** For queries, beside that of the definition. @default {} */
  metadata?: JsonObject;
  /** Start it even if no worker has had its handler yet. @default the module's */
  allowUnknownHandler?: boolean;
}

/** Which definitions; those that meet all conditions. @publicApi */
export interface DefinitionQuery {
  namespace?: string | string[];
  name?: string | string[];
  kind?: DefinitionKind | DefinitionKind[];
  app?: string | string[];
  /** Of each name only the latest version that lives. @default false */
  latest?: boolean;
  /** Those that are deleted as well. @default false */
  deleted?: boolean;
}

/** One version, or all. @publicApi */
export interface VersionOption {
  version?: number;
}

/** What a definition says that is not of its jobs. */
export const aboutKeys: readonly string[] = [
  'name',
  'namespace',
  'version',
  'params',
  'app',
  'allowUnknownHandler',
];
const jobsOwn: readonly string[] = ['id', 'name', 'namespace', 'payload'];
const timing = allTimingKeys.filter((key) => !['at', 'in', 'refusePast'].includes(key));

/** Of definitions whose jobs are one run each. */
export const handlerDefinitionKeys: readonly string[] = [
  ...aboutKeys,
  'handler',
  'task',
  'payload',
  'delay',
  ...jobOptionKeys.filter((key) => !jobsOwn.includes(key)),
  ...timing,
];

/** Those of its jobs are decided by its steps. */
const stepsOwn: readonly string[] = [
  ...['maxRetries', 'backoff', 'recovery', 'maxLost', 'handler', 'task', 'payload'],
];

export const workflowDefinitionKeys: readonly string[] = [
  ...handlerDefinitionKeys.filter((key) => !stepsOwn.includes(key)),
  'steps',
];

export const startKeys = [
  'params',
  'version',
  'namespace',
  'key',
  'at',
  'delay',
  'queue',
  'priority',
  'metadata',
  'allowUnknownHandler',
] as const satisfies readonly (keyof StartOptions)[];

export const definitionQueryKeys = [
  'namespace',
  'name',
  'kind',
  'app',
  'latest',
  'deleted',
] as const satisfies readonly (keyof DefinitionQuery)[];

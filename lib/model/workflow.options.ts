import type { HandlerOptions } from './handler.options.js';
import type { CronTiming, DeclarationOptions, JobOptions } from './job.options.js';
import type { JsonObject, JsonValue } from './json.js';
import type { PayloadSchema } from './payload.schema.js';
import type { CronFields, DurationInput } from './trigger.js';
import type { StepOrder, StepPolicies } from './workflow.js';

/** What a step is asked before it begins. */
export interface WhenContext<Params = JsonValue> {
  /** Those of the workflow. */
  params: Params;
  /** Of an instance of a map its item; null: it is none. */
  item: JsonValue;
}

/** Whether a step has something to do, by what its parents have returned, null where they have not succeeded: false, and it is skipped; what is neither true nor false fails it. @publicApi */
export type StepCondition<Params = any> = (
  results: Record<string, any>,
  context: WhenContext<Params>,
) => boolean | Promise<boolean>;

/** What a step whose code is a function may say besides. @publicApi */
export interface StepCode extends Pick<HandlerOptions, 'retryIf'> {
  /** As data it is stored with the workflow's run; a function belongs to the step, see `RetryRules`. @default exponential from 1 s up to 1 h, with jitter */
  backoff?: StepPolicies['backoff'] | NonNullable<HandlerOptions['backoff']>;
  /** Asked before each attempt, with what its parents have returned, 8 MiB together at most: false, and the step is `skipped`. @default it has */
  when?: StepCondition;
}

/** Options of `@Step` and of `step()` of the builder. @publicApi */
export interface StepOptions<Name extends string = string>
  extends StepOrder<Name>, Omit<StepPolicies, 'backoff'>, StepCode {
  /** Of one attempt; null: no limit. @default null */
  timeout?: DurationInput | null;
}

/** Options of `@Step`. @publicApi */
export interface StepMethodOptions extends StepOptions {
  /** @default the name of the method */
  name?: string;
  /** One instance for each item of the list that its only parent with a result returned, up to 10,000. @default false */
  map?: boolean;
  /** Whether the guards, interceptors and exception filters of Nest are applied to the method. @default the module's */
  useEnhancers?: boolean;
}

/** Options of `@ManualStep` and of `manual()` of the builder. @publicApi */
export interface ManualStepOptions<Name extends string = string>
  extends StepOrder<Name>, Pick<StepPolicies, 'queue' | 'priority'> {
  /** How long it may stay open; then it is `timed_out`. null: for ever. @default null */
  timeout?: DurationInput | null;
}

/** Options of `@ManualStep`. @publicApi */
export interface ManualStepMethodOptions extends ManualStepOptions {
  /** @default the name of the method */
  name?: string;
}

/** What may be said of a workflow, and what its runs get where they say nothing else. */
interface WorkflowOptions {
  /** What its params are checked with: a Standard Schema (zod, valibot, arktype …) or a class-validator DTO class. The steps get what that gives, as JSON. @default any JSON */
  params?: PayloadSchema;
  /** How long the whole may take; then its run is `timed_out`, and what still waits is cancelled. null: for ever. @default null */
  timeout?: DurationInput | null;
}

/** Options of `@Workflow`. @publicApi */
export interface WorkflowClassOptions
  extends
    WorkflowOptions,
    Omit<JobOptions, 'id' | 'payload' | 'timeout' | 'maxRetries' | 'backoff' | 'recovery' | 'maxLost'>,
    CronTiming,
    Pick<DeclarationOptions, 'previousIds' | 'instance' | 'disabled'> {
  /** When it runs: an expression, or fields. It is a job then, with the name of the workflow as its id, and all other options are those of `@Cron`. @default it is started by hand */
  cron?: string | CronFields;
  /** The params of the runs that `cron` starts. @default null */
  payload?: JsonValue;
  /** For queries, of the job. @default {} */
  metadata?: JsonObject;
}

import type { BackoffInput } from './job.options.js';
import type { JsonValue } from './json.js';
import type { RecoveryPolicy } from './policies.js';
import type { PriorityInput } from './priority.js';
import type { Otherwise, StepNeed } from './step.need.js';
import type { TaskInput } from './task.js';
import type { DurationInput } from './trigger.js';

export type { Otherwise, StepNeed } from './step.need.js';

/** A parent that a step only waits for: it gets nothing of its result. @publicApi */
export interface OrderAfter {
  step: string;
  order: true;
}

/** What a step waits for: the names of its parents. @publicApi */
export type StepAfter<Name extends string = string> =
  | Name
  | readonly (Name | (Omit<OrderAfter, 'step'> & { step: Name }))[];

/** What the attempts of a step are given. @publicApi */
export interface StepPolicies {
  /** Only workers with this queue run the step. @default the one of the workflow's run */
  queue?: string;
  /** 0 (first) to 9 (last), or a level: critical, high, normal, low. @default that of the workflow's run */
  priority?: PriorityInput;
  /** Further attempts after a failed one. @default 0 */
  maxRetries?: number;
  /** Delays before retries. @default exponential from 1 s up to 1 h, with jitter */
  backoff?: BackoffInput;
  /** What happens to an attempt whose worker died. @default 'rerun' */
  recovery?: RecoveryPolicy;
  /** A step whose worker died this often ends as `lost`, see `JobOptions.maxLost`. @default 3 */
  maxLost?: number;
}

/** When a step begins, and what its end means to others. @publicApi */
export interface StepOrder<Name extends string = string> {
  /** Its parents. @default none: it begins with the workflow */
  after?: StepAfter<Name>;
  /** How many of its parents have to end well: 'all', 'any' (one), or a number. @default 'all' */
  need?: StepNeed;
  /** What becomes of it when too few of them can. @default 'block' */
  otherwise?: Otherwise;
  /** It begins so much later than its parents allow it: milliseconds, or text such as '5m'. @default 0 */
  delay?: DurationInput;
  /** Whatever it ends as counts as well ended, for its children and for the workflow. @default false */
  allowFailure?: boolean;
}

/** A step of a workflow, as plain data. @publicApi */
export interface WorkflowStep extends StepOrder, StepPolicies {
  /** Unique in the workflow: 1 to 100 letters, digits, `_`, `-` and `$`. */
  name: string;
  /** The name of the handler that it calls. @default the names of the workflow and of the step: `nightly.load` */
  handler?: string;
  /** A task that it is, in place of a handler and its payload. Not with `map`. */
  task?: TaskInput;
  /** The name of a workflow that it is: that runs with the step's payload as its params, and its end is the step's. Not with `handler` or `manual`. */
  workflow?: string;
  /** It calls no handler: its verdict comes from outside, by `WorkflowService.complete` or `fail`. @default false */
  manual?: boolean;
  /** One instance for each item of the list that its only parent with a result returned, up to 10,000; they run beside each other, each with its item as the payload. @default false */
  map?: boolean;
  /** How long: one attempt of a handler may take, a workflow that is the step, or a manual step may stay open; null: for ever. @default null */
  timeout?: DurationInput | null;
  /** What it gets as `context.payload`. Not with `map` or `manual`. @default the params of the workflow */
  payload?: JsonValue;
}

/** A workflow, as plain data. @publicApi */
export interface WorkflowDefinition {
  /** Also the name of the handler that starts it, and the beginning of those of its steps: at most 150 characters. */
  name: string;
  /** In any order. */
  steps: readonly WorkflowStep[];
  /** How long the whole may take; then its run is `timed_out`, and what still waits is cancelled. null: for ever. @default null */
  timeout?: DurationInput | null;
}

import type { JsonValue } from '../model/json.js';
import type { StepResult } from '../model/step.result.js';
import type { StepVerdict } from '../model/verdict.js';
import type { WorkflowStep } from '../model/workflow.js';
import type { RunContext } from './run.context.js';

/** What a step is told of one of its parents. @publicApi */
export interface StepParent {
  name: string;
  /** null: it goes on, as it may where a step does not need all of its parents. */
  verdict: StepVerdict | null;
  /** Of its latest attempt; null: it has had none. */
  runId: string | null;
  /** Why it was skipped, or has not succeeded; null: neither. */
  reason: string | null;
}

/** A step that a running step adds to its workflow. Its parents may be steps that are added with it, steps that the workflow has, and the one that adds it. @publicApi */
export interface AddedStep extends WorkflowStep {
  /** Steps of the workflow that have not been released yet, and wait for this one as well. @default none */
  before?: string | readonly string[];
}

/** Of which step of which workflow a run is. @publicApi */
export interface WorkflowOfStep {
  /** Of the workflow. */
  readonly name: string;
  /** The version of its definition that it was begun with, as the graph of it is stored; null: it has none. The code of the step is that of the process that runs it. */
  readonly version: number | null;
  /** Of the run that the workflow is: what WorkflowService takes. */
  readonly runId: string;
  readonly step: string;
  /** Which item of a map, from 0; null: it is none. */
  readonly nth: number | null;
}

/**
 * What the handler of a step is told: the RunContext of its run, and what it has to do with its workflow. `Params` are those of the workflow, `Results` what its parents return, by their names, and `Item` what an instance of a map gets.
 * Nothing of other steps is read before it is asked for. @publicApi
 */
export interface StepContext<
  Params = JsonValue,
  Results extends object = Record<string, JsonValue>,
  Item = never,
> extends RunContext<[Item] extends [never] ? Params : Item> {
  readonly workflow: WorkflowOfStep;
  /** What the workflow was started with, as its schema gives it, in JSON. */
  readonly params: Params;
  /** Of an instance of a map its item. */
  readonly item: [Item] extends [never] ? null : Item;
  /**
   * What a parent has returned; of a map the list of what its instances have, those that have not succeeded left out, as long as that is 8 MiB at most. Rejects with StepResultMissingError, which is not tried again, where the step is no parent, or one that
   * is only waited for, or has not succeeded: ask `parent` first where that may be.
   */
  readonly result: <Name extends keyof Results & string>(name: Name) => Promise<StepResult<Results[Name]>>;
  /** The same of a map, or of a list that a parent has returned, one by one in the order of the items, those that have not succeeded left out; read in pages, so that there may be any number. */
  readonly results: <Name extends keyof Results & string>(
    name: Name,
  ) => AsyncIterable<StepResult<ItemOf<Results[Name]>>>;
  /** How a parent has ended. Rejects with StepResultMissingError where the step is no parent. */
  readonly parent: (name: string) => Promise<StepParent>;
  /**
   * The step has nothing to do: when the handler returns its verdict is `skipped`, with this reason, and counts as well ended. A step all of whose parents were skipped is skipped. Does not end the handler: return after it. Throws
   * InvalidOptionError (reason), RunSettledError.
   */
  readonly skip: (reason: string) => void;
  /**
   * Adds steps to the workflow when the handler returns, or by the commit of `transaction`: not where the attempt fails. Steps of the workflow that are named in `before` wait for them too. Returns at once. Throws InvalidWorkflowError, RunSettledError.
   * A handler that nobody in the app has had fails the step, or rolls the transaction back, by HandlerNotFoundError or UnknownTaskError, unless the module has `allowUnknownHandler`.
   *
   * @example
   * ctx.addSteps(pages.map((page) => ({ name: `page-${page}`, handler: 'read-page', payload: { page }, before: 'report' })));
   */
  readonly addSteps: (steps: readonly AddedStep[]) => void;
}

/** What a list holds. */
export type ItemOf<T> = T extends readonly (infer E)[] ? E : JsonValue extends T ? JsonValue : never;

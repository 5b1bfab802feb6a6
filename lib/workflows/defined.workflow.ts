import type { ItemOf, StepContext } from '../engine/step.context.js';
import { InvalidOptionError, InvalidWorkflowError } from '../model/errors.js';
import { nearestName } from '../model/nearest.name.js';
import type { JsonValue } from '../model/json.js';
import type { PayloadSchema } from '../model/payload.schema.js';
import type { PriorityInput } from '../model/priority.js';
import type { StepResult } from '../model/step.result.js';
import type {
  StepAfter,
  StepOrder,
  StepPolicies,
  WorkflowDefinition,
  WorkflowStep,
} from '../model/workflow.js';
import type { ManualStepOptions, StepOptions } from '../model/workflow.options.js';
import type { TaskOption } from '../model/task.js';
import type { DurationInput } from '../model/trigger.js';
import { HandlerReference, isReference } from '../scheduler/handler.reference.js';
import { handlerName } from '../scheduler/names.js';
import { described, knownOptions } from '../scheduler/option.checks.js';
import { plannedStep } from './planned.step.js';
import { codeStepOptions, manualStepKeys, namedStepKeys } from './step.options.js';
import type { StepFunction, WorkflowCode } from './workflow.code.js';
import { naming } from './workflow.plan.js';

/** Whose results a step can read: those that it names, and does not only wait for. */
export type DataParents<A> = A extends string
  ? A
  : A extends readonly (infer E)[]
    ? Extract<E, string>
    : never;

/** What a handler returns in the end, as its parents can read it. */
export type Returned<T> = Awaited<T> extends void ? null : Awaited<T>;

/** Options of a step that calls a handler by its name. @publicApi */
export interface NamedStepOptions<Name extends string = string> extends StepOrder<Name>, StepPolicies {
  /** Of one attempt, or of the workflow that the step is; null: no limit. @default null */
  timeout?: DurationInput | null;
  /** What it gets as `context.payload`. @default the params of the workflow */
  payload?: JsonValue;
  /** One instance for each item of the list that its only parent with a result returned. @default false */
  map?: boolean;
}

/** Of a handler that is known by type, and of another workflow. */
type PayloadOf<P> = Omit<NamedStepOptions, 'payload'> & { payload?: NoInfer<P> };

/** Options of `workflow()`. @publicApi */
export interface DefineWorkflowOptions {
  /** What its params are checked with: a Standard Schema or a class-validator DTO class. @default any JSON */
  params?: PayloadSchema;
  /** How long the whole may take; null: for ever. @default null */
  timeout?: DurationInput | null;
  /** Of its runs, and of its steps that say nothing else. @default 'default' */
  queue?: string;
  /** Of its runs, and of its steps that say nothing else. @default 5 */
  priority?: PriorityInput;
}

/** The options with the parents that they name, as a type. */
type After<O, A> = Omit<O, 'after'> & { after?: A };
type Names<Results> = keyof Results & string;
type Added<Results, Name extends string, T> = Results & { [K in Name]: T };

/**
 * A workflow that is known by type: made by `workflow()`, and a handler reference, so that it can be given wherever jobs are created, with its params as the payload. `Input`: what it is started with ·
 * `Params`: what its steps get · `Results`: what these return. It does not change: each call gives another one, with one step more. @publicApi
 */
export class DefinedWorkflow<
  Input = JsonValue,
  Params = Input,
  Results extends object = object,
> extends HandlerReference<Input> {
  /** For the compiler only; there is no such value. */
  declare readonly '~results': Results;
  /** For the compiler only; there is no such value. */
  declare readonly '~params': Params;

  constructor(
    /** As plain data. */
    readonly definition: WorkflowDefinition,
    schema: PayloadSchema | null,
    defaults: HandlerReference['defaults'],
    private readonly functions: ReadonlyMap<string, StepFunction> = new Map(),
  ) {
    super(definition.name, schema, defaults);
  }

  /** With its functions. */
  get code(): WorkflowCode {
    return { definition: this.definition, schema: this.schema, steps: this.functions };
  }

  /**
   * Adds a step: a function, the name of a handler, a reference by `defineJob` or `handlerOf`, a task (`{ task: { type, … } }`), or another workflow, which the step then is. `after` names steps that were added before. What the function returns is for those
   * that come after it, JSON of up to 1 MiB. Throws InvalidWorkflowError.
   */
  step<Name extends string, T, A extends StepAfter<Names<Results>> = never>(
    name: Name,
    code: (context: StepContext<Params, Pick<Results, DataParents<A> & keyof Results>>) => T,
    options?: After<StepOptions, A>,
  ): DefinedWorkflow<Input, Params, Added<Results, Name, Returned<T>>>;
  step<Name extends string, A extends StepAfter<Names<Results>> = never>(
    name: Name,
    handler: string,
    options?: After<NamedStepOptions, A>,
  ): DefinedWorkflow<Input, Params, Added<Results, Name, JsonValue>>;
  step<Name extends string, P, A extends StepAfter<Names<Results>> = never>(
    name: Name,
    handler: HandlerReference<P>,
    options?: After<PayloadOf<P>, A>,
  ): DefinedWorkflow<Input, Params, Added<Results, Name, JsonValue>>;
  step<Name extends string, A extends StepAfter<Names<Results>> = never>(
    name: Name,
    task: TaskOption,
    options?: After<Omit<NamedStepOptions, 'payload' | 'map'>, A>,
  ): DefinedWorkflow<Input, Params, Added<Results, Name, JsonValue>>;
  step(
    name: string,
    code: ((context: any) => unknown) | string | HandlerReference<any> | TaskOption,
    options: object = {},
  ): DefinedWorkflow<any, any, any> {
    if (typeof code === 'function') return this.withCode(name, code, options, false);
    return naming(this.name, name, () => {
      const data = knownOptions(options, namedStepKeys, `step("${name}")`);
      if (typeof code === 'object' && code !== null && 'task' in code) {
        const { task } = knownOptions(
          code,
          ['task'],
          `the second argument of step("${name}")`,
        ) as TaskOption & object;
        return this.with({ ...data, name, task });
      }
      const isWorkflow = isReference(code) && code instanceof DefinedWorkflow;
      const of = isWorkflow ? { workflow: code.name } : { handler: handlerName(code) };
      return this.with({ ...data, name, ...of });
    });
  }

  /** Adds a step with one instance for each item of the list that its parent `after` returned, up to 10,000, beside each other; each gets its item as `context.item`. Their results are a list. Throws InvalidWorkflowError. */
  map<Name extends string, T, A extends StepAfter<Names<Results>>>(
    name: Name,
    code: (
      context: StepContext<
        Params,
        Pick<Results, DataParents<A> & keyof Results>,
        StepResult<ItemOf<Results[DataParents<A> & keyof Results]>>
      >,
    ) => T,
    options: Omit<StepOptions, 'after'> & { after: A },
  ): DefinedWorkflow<Input, Params, Added<Results, Name, Returned<T>[]>> {
    return this.withCode(name, code, options, true);
  }

  /** Adds a step whose verdict comes from outside, by `WorkflowService.complete` or `fail`. `T`: what it is completed with. Throws InvalidWorkflowError. */
  manual<Name extends string, T = JsonValue>(
    name: Name,
    options: ManualStepOptions<Names<Results>> = {},
  ): DefinedWorkflow<Input, Params, Added<Results, Name, T>> {
    return naming(this.name, name, () => {
      const data = knownOptions(options, manualStepKeys, `manual("${name}")`);
      return this.with({ ...data, name, manual: true });
    });
  }

  private withCode(
    name: string,
    run: (context: any) => unknown,
    given: object,
    map: boolean,
  ): DefinedWorkflow<any, any, any> {
    return naming(this.name, name, () => {
      if (typeof run !== 'function') throw notCode(name, run);
      const { data, options, when } = codeStepOptions(given, `${map ? 'map' : 'step'}("${name}")`);
      return this.with({ ...data, name, ...(map ? { map } : {}) }, { run, options, when });
    });
  }

  private with(step: WorkflowStep, code?: StepFunction): DefinedWorkflow<any, any, any> {
    const { name, steps } = this.definition;
    const { after } = plannedStep(name, step);
    const names = new Set(steps.map((each) => each.name));
    if (names.has(step.name)) {
      throw new InvalidWorkflowError(
        name,
        step.name,
        'another step has this name. Give one of them another.',
      );
    }
    for (const { parent } of after) {
      if (names.has(parent)) continue;
      const meant = nearestName(parent, names);
      throw new InvalidWorkflowError(
        name,
        step.name,
        `after names "${parent}", which is no step that was added before. ${meant === null ? 'Add that one first.' : `Did you mean "${meant}"?`}`,
      );
    }
    const functions = new Map(this.functions);
    if (code !== undefined) functions.set(step.name, code);
    const definition = { ...this.definition, steps: [...steps, step] };
    return new DefinedWorkflow(definition, this.schema, this.defaults, functions);
  }
}

/** Of a map, as `step` takes more than functions. */
function notCode(name: string, given: unknown): InvalidOptionError {
  return new InvalidOptionError(
    `map("${name}")`,
    `its code must be a function, but is ${described(given)}. For a handler: step("${name}", handler, { map: true, after }).`,
  );
}

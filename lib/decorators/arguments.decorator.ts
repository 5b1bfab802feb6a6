import 'reflect-metadata';
import type { PipeTransform, Type } from '@nestjs/common';

/**
 * Which values parameters get. Numbers and key are those by which Nest keeps the parameters of routes (request and body): it makes pipes that are classes
 * only for these, and a ValidationPipe passes over what it takes for something else than a body.
 */
export const argumentKinds = { context: 0, payload: 3, fromStep: 4 } as const;
export const argumentsKey = '__routeArguments__';

/** Apart from those of Nest, whose `@Query()` is kept like the result of a step. */
const fromStepsKey = 'chronis:fromSteps';

/** Apart from those of Nest, whose `@Req()` is kept like the context. */
const contextKey = 'chronis:contexts';

/**
 * The payload as a parameter of a handler: `send(@Payload() mail: SendMail, @Ctx() context: RunContext)`. Pipes are applied to it: those given here, those of
 * `@UsePipes` and global ones; so a ValidationPipe checks the parameter's class. @publicApi
 */
export function Payload(...pipes: (Type<PipeTransform> | PipeTransform)[]): ParameterDecorator {
  return argument(argumentKinds.payload, pipes);
}

/** The RunContext as a parameter of a handler, where another one has `@Payload()`, and of methods that `nestjs-chronis/schedule` schedules. @publicApi */
export function Ctx(): ParameterDecorator {
  const mark = argument(argumentKinds.context, []);
  return (target, method, index) => {
    mark(target, method, index);
    const earlier = contextParameters(target, method as string) ?? [];
    Reflect.defineMetadata(contextKey, [...earlier, index], target.constructor, method!);
  };
}

/**
 * The item of an instance of a map, as a parameter: `@Step({ after: 'extract', map: true }) transform(@Item() row: Row)`. Pipes are applied to it, as to a `@Payload()`, which it is. @publicApi
 */
export function Item(...pipes: (Type<PipeTransform> | PipeTransform)[]): ParameterDecorator {
  return argument(argumentKinds.payload, pipes);
}

/**
 * What a parent of the step has returned, as a parameter: `@Step({ after: 'extract' }) load(@FromStep('extract') rows: Row[])`; null where that has not succeeded, of a map the list of what its instances have. It is
 * read before the method is called, 8 MiB at most for all of them together. Pipes are applied to it. @publicApi
 */
export function FromStep(
  step: string,
  ...pipes: (Type<PipeTransform> | PipeTransform)[]
): ParameterDecorator {
  const mark = argument(argumentKinds.fromStep, pipes, step);
  return (target, method, index) => {
    mark(target, method, index);
    const earlier = fromStepsOf(target, method as string);
    Reflect.defineMetadata(fromStepsKey, [...earlier, step], target.constructor, method!);
  };
}

/** The steps that `@FromStep()` names on the parameters of a method. */
export function fromStepsOf(prototype: object, method: string): readonly string[] {
  return (Reflect.getMetadata(fromStepsKey, prototype.constructor, method) ?? []) as string[];
}

/** The parameters of a method with `@Ctx()`, by their numbers; null: no decorator of this package or of Nest marks any. For schedulers of their own. @publicApi */
export function contextParameters(prototype: object, method: string): readonly number[] | null {
  if (!hasArguments(prototype, method)) return null;
  return (Reflect.getMetadata(contextKey, prototype.constructor, method) ?? []) as number[];
}

/** Whether a parameter of the method has one of these decorators. */
export function hasArguments(prototype: object, method: string): boolean {
  return Reflect.hasMetadata(argumentsKey, prototype.constructor, method);
}

function argument(kind: number, pipes: unknown[], data?: string): ParameterDecorator {
  return (target, method, index) => {
    const earlier = (Reflect.getMetadata(argumentsKey, target.constructor, method!) ?? {}) as object;
    const all = { ...earlier, [`${kind}:${index}`]: { index, data, pipes } };
    Reflect.defineMetadata(argumentsKey, all, target.constructor, method!);
  };
}

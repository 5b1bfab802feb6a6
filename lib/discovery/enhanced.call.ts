import { ForbiddenException, HttpException } from '@nestjs/common';
import type { ContextId, ExternalContextCreator } from '@nestjs/core';
import { argumentKinds, argumentsKey } from '../decorators/arguments.decorator.js';
import type { RunContext } from '../engine/run.context.js';
import { currentRun } from '../engine/current.run.js';
import { stepResultFor } from './step.results.js';
import { workOff } from '../model/deferred.work.js';
import { UnrecoverableError } from '../model/errors.js';
import { isA } from '../model/thrown.js';

/** What `ExecutionContext.getType()` says. */
export const contextType = 'chronis';

type Method = (...args: unknown[]) => unknown;

const argumentValues = {
  exchangeKeyForValue(kind: number, data: unknown, [context]: [RunContext]): unknown {
    if (kind === argumentKinds.fromStep) return stepResultFor(context, data as string);
    return kind === argumentKinds.payload ? context.payload : context;
  },
};

/** Nest's own, but that what a method returns is worked off as it is elsewhere: also an Observable without a value, and generators; and given up when the run is. */
export function workingOff(creator: ExternalContextCreator): ExternalContextCreator {
  const transformToResult = (value: unknown): Promise<unknown> => workOff(value, currentRun() ?? {});
  return Object.assign(Object.create(creator) as ExternalContextCreator, { transformToResult });
}

/**
 * A method as Nest calls routes: with pipes on its `@Payload()`, and, if `enhancers`, through its guards, interceptors and filters. A run that is forbidden has
 * failed, whatever retries it has: a guard says no, it does not say later.
 */
export function enhancedCall(
  creator: ExternalContextCreator,
  instance: object,
  method: string,
  enhancers: boolean,
  contextId?: ContextId,
): (context: RunContext) => Promise<unknown> {
  const options = { guards: enhancers, interceptors: enhancers, filters: enhancers };
  const callback = (instance as Record<string, Method>)[method]!;
  const call = creator.create(
    instance,
    callback,
    method,
    argumentsKey,
    argumentValues,
    contextId,
    undefined,
    options,
    contextType,
  );
  return async (context) => {
    try {
      return (await call(context)) as unknown;
    } catch (error) {
      if (isA(error, HttpException)) tellDetails(error);
      if (!enhancers || !isA(error, ForbiddenException)) throw error;
      throw new UnrecoverableError(`The run is refused: ${error.message}.`, { cause: error });
    }
  };
}

/** What a ValidationPipe objects to is in the response that nobody gets here; the log and the ledger have the message. */
function tellDetails(error: HttpException): void {
  const response = error.getResponse() as { message?: unknown };
  if (!Array.isArray(response.message) || response.message.length === 0) return;
  error.message = `${error.message}: ${response.message.join('; ')}`;
}

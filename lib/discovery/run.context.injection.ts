import { Inject, Scope, type FactoryProvider } from '@nestjs/common';
import { currentRun } from '../engine/current.run.js';
import type { RunContext } from '../engine/run.context.js';

/** The token of the RunContext, for request-scoped providers. @publicApi */
export const RUN_CONTEXT = Symbol.for('nestjs-chronis.RUN_CONTEXT');

/**
 * Injects the RunContext of the run that the provider is made for; null where it is made for something else, such as an HTTP request. Makes the
 * provider, and all that depend on it, request-scoped: they are made anew for each run. @publicApi
 */
export function InjectRunContext(): PropertyDecorator & ParameterDecorator {
  return Inject(RUN_CONTEXT);
}

export const runContextProvider: FactoryProvider<RunContext | null> = {
  provide: RUN_CONTEXT,
  scope: Scope.REQUEST,
  useFactory: currentRun,
};

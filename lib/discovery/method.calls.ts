import type { ExternalContextCreator } from '@nestjs/core';
import { hasArguments } from '../decorators/arguments.decorator.js';
import type { RunContext } from '../engine/run.context.js';
import type { DeclaringProvider } from './declaring.provider.js';
import { enhancedCall, workingOff } from './enhanced.call.js';
import { unappliedEnhancers } from './unapplied.enhancers.js';

/** How decorated methods are called: directly, or as Nest calls routes. */
export class MethodCalls {
  private readonly creator: ExternalContextCreator;

  constructor(
    creator: ExternalContextCreator,
    /** The option of the module. */
    private readonly useEnhancers: boolean,
  ) {
    this.creator = workingOff(creator);
  }

  /** Decorators of Nest on the method that are without effect, as neither it nor the module says anything of `useEnhancers`. */
  unapplied({ prototype }: DeclaringProvider, method: string, useEnhancers: boolean | undefined): string[] {
    if (this.useEnhancers || useEnhancers !== undefined) return [];
    return unappliedEnhancers(prototype[method]!);
  }

  of(
    provider: DeclaringProvider,
    method: string,
    useEnhancers = this.useEnhancers,
  ): (context: RunContext) => unknown {
    if (!useEnhancers && !hasArguments(provider.prototype, method)) return provider.call(method);
    return provider.callBy((instance, contextId) =>
      enhancedCall(this.creator, instance, method, useEnhancers, contextId),
    );
  }
}

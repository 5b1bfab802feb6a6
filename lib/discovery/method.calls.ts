import type { ExternalContextCreator } from '@nestjs/core';
import { hasArguments } from '../decorators/arguments.decorator.js';
import type { RunContext } from '../engine/run.context.js';
import type { DeclaringProvider } from './declaring.provider.js';
import { enhancedCall } from './enhanced.call.js';

/** How decorated methods are called: directly, or as Nest calls routes. */
export class MethodCalls {
  constructor(
    private readonly creator: ExternalContextCreator,
    /** The option of the module. */
    private readonly useEnhancers: boolean,
  ) {}

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

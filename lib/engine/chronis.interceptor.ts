import { isDeferred, workOff } from '../model/deferred.work.js';
import { currentRuns } from './current.run.js';
import { AttemptContext } from './attempt.context.js';
import type { RunContext } from './run.context.js';

/**
 * Stands around every execution of every handler: for tenants, tracing, transactions, a feature switch. Given by the option `interceptors`. What
 * it returns is the result; what it throws fails the attempt, like a throw of the handler.
 *
 * @example
 * class TenantInterceptor extends ChronisInterceptor {
 *   intercept(context: RunContext, next: () => Promise<unknown>) {
 *     return tenants.run(context.job.metadata.tenant_id, next);
 *   }
 * }
 * @publicApi
 */
export abstract class ChronisInterceptor {
  /** `next` calls the next interceptor, or the handler. Not called: the handler is left out. */
  abstract intercept(context: RunContext, next: () => Promise<unknown>): Promise<unknown>;
}

/** What stands around the handlers of a process: the context of the run, then the interceptors in their order. */
export class HandlerSurroundings {
  private interceptors: readonly ChronisInterceptor[] = [];

  /** Before the first handler runs. */
  use(interceptors: readonly ChronisInterceptor[]): void {
    this.interceptors = interceptors;
  }

  /** An Observable that the handler returns has ended before the interceptors go on; where there are none, the caller sees to that. */
  call(context: RunContext, handler: (context: RunContext) => unknown): unknown {
    if (this.interceptors.length === 0) return currentRuns.run(context, handler, context);
    return currentRuns.run(context, () => {
      const from = async (i: number): Promise<unknown> => {
        const interceptor = this.interceptors[i];
        if (interceptor) return interceptor.intercept(context, () => from(i + 1));
        // A handler that sleeps does not end: for what stands around it, it has returned.
        const value = await Promise.race([handler(context), suspensionOf(context)]);
        return isDeferred(value) ? workOff(value, context) : value;
      };
      return from(0);
    });
  }
}

function suspensionOf(context: RunContext): Promise<void> {
  return context instanceof AttemptContext
    ? AttemptContext.suspensionOf(context)
    : new Promise(() => undefined);
}

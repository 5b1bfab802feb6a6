import type { CallHandler, CanActivate, ExecutionContext, NestInterceptor, Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';

/** On requests of whom the guards let in. */
const letIn = Symbol('nestjs-chronis.health.letIn');

/** Asks the guards without refusing anybody: the status is for all, the details are for whom they let in. */
export class DetailsInterceptor implements NestInterceptor {
  private resolved: Promise<CanActivate[]> | null = null;

  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly guards: readonly (Type<CanActivate> | CanActivate)[],
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<ReturnType<CallHandler['handle']>> {
    const request = context.switchToHttp().getRequest<object>();
    Object.defineProperty(request, letIn, { value: await this.isLetIn(context), configurable: true });
    return next.handle();
  }

  /** Of several guards all have to. One that throws does not. */
  private async isLetIn(context: ExecutionContext): Promise<boolean> {
    if (this.guards.length === 0) return false;
    try {
      for (const guard of await (this.resolved ??= this.resolve())) {
        if (!(await answerOf(guard.canActivate(context)))) return false;
      }
      return true;
    } catch {
      return false;
    }
  }

  private resolve(): Promise<CanActivate[]> {
    return Promise.all(
      this.guards.map(async (guard) => (typeof guard === 'function' ? this.instanceOf(guard) : guard)),
    );
  }

  private async instanceOf(guard: Type<CanActivate>): Promise<CanActivate> {
    try {
      return this.moduleRef.get(guard, { strict: false });
    } catch {
      return this.moduleRef.create(guard);
    }
  }
}

export function isLetIn(request: object): boolean {
  return (request as { [letIn]?: boolean })[letIn] === true;
}

/** A guard may give an Observable: its first value counts. */
function answerOf(answer: ReturnType<CanActivate['canActivate']>): Promise<boolean> | boolean {
  if (typeof answer !== 'object' || !('subscribe' in answer)) return answer;
  return new Promise((resolve, reject) => {
    answer.subscribe({ next: resolve, error: reject, complete: () => resolve(false) });
  });
}

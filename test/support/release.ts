import { Injectable, type Type } from '@nestjs/common';

/** A release of the application: what its one service, `Jobs`, declares, method by method. The names of methods that ran go to `ran`. */
export function release(
  decorate: Record<string, MethodDecorator[]>,
  ran: string[] | ((method: string) => void) = [],
): Type {
  @Injectable()
  class Jobs {}
  const note = typeof ran === 'function' ? ran : (method: string) => void ran.push(method);
  for (const [method, decorators] of Object.entries(decorate)) {
    Object.defineProperty(Jobs.prototype, method, {
      value: () => note(method),
      configurable: true,
      writable: true,
    });
    const descriptor = Object.getOwnPropertyDescriptor(Jobs.prototype, method)!;
    for (const decorator of decorators.toReversed()) decorator(Jobs.prototype, method, descriptor);
  }
  return Jobs;
}

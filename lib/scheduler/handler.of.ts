import { noteReferred } from '../decorators/decorated.classes.js';
import { inheritedDeclarationsOf } from '../decorators/declaration.js';
import type { RunContext } from '../engine/run.context.js';
import { InvalidOptionError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { JsonForm } from '../model/payload.schema.js';
import { HandlerReference } from './handler.reference.js';
import { described } from './option.checks.js';

/** The names of the methods that could handle runs. @publicApi */
export type HandlerMethod<T> = {
  [K in keyof T]: T[K] extends (context: RunContext<any>) => unknown ? K : never;
}[keyof T] &
  string;

/** What a method takes as `context.payload`; any JSON where it does not take the context. @publicApi */
export type MethodPayload<M> = M extends (...args: infer A) => unknown
  ? A extends []
    ? JsonValue
    : M extends (context: RunContext<infer P>) => unknown
      ? P
      : never
  : never;

/**
 * The handler that a method is: `handlerOf(ReportService, 'generate')`, with the name that `@JobHandler` gives it or `ReportService.generate`, and
 * the payload of its RunContext. The class is the one that is provided. Throws InvalidOptionError: the method is no handler.
 * @publicApi
 */
export function handlerOf<T, K extends HandlerMethod<T>>(
  provider: { readonly prototype: T; readonly name: string },
  method: K,
): HandlerReference<JsonForm<MethodPayload<T[K]>>> {
  if (typeof (provider as unknown) !== 'function') {
    throw new InvalidOptionError(
      'handlerOf()',
      `takes a class, but was given ${described(provider)}. If it is undefined, two files import each other: call handlerOf() where the job is created.`,
    );
  }
  const declarations = inheritedDeclarationsOf(provider.prototype as object, method);
  const named = declarations.filter((declaration) => declaration.kind === 'handler');
  const scheduled = declarations.some(({ kind, options }) => kind !== 'handler' && options.disabled !== true);
  if (named.length === 0 && !scheduled) {
    throw new InvalidOptionError(
      `handlerOf(${provider.name}, '${method}')`,
      `${provider.name}.${method} is not a handler. Decorate the method with @JobHandler('…').`,
    );
  }
  noteReferred(provider.prototype as object);
  const schema = named.find(({ options }) => options.schema !== undefined)?.options.schema ?? null;
  return new HandlerReference(named[0]?.name ?? `${provider.name}.${method}`, schema);
}

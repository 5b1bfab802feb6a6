import { assertPayloadSchema } from '../engine/payload.check.js';
import type { JobOptions } from '../model/job.options.js';
import type { JsonValue } from '../model/json.js';
import type { PayloadSchema } from '../model/payload.schema.js';

/** What jobs that are created by a reference get where they say nothing else. @publicApi */
export type HandlerDefaults = Omit<JobOptions, 'id' | 'payload' | 'ifMissed' | 'if_missed'> & {
  /** The app whose handler it is. @default the app of the process that creates the job */
  app?: string;
  /** Create the job even if no worker has had the handler yet. @default the module's */
  allowUnknownHandler?: boolean;
};

/**
 * A handler with the type of its payload, given as `handler` where jobs are created: made by `defineJob` or `handlerOf`. @publicApi
 */
export class HandlerReference<P = JsonValue> {
  /** For the compiler only; there is no such value. */
  declare readonly '~payload': P;

  constructor(
    /** The name of the handler, as it is stored with jobs. */
    readonly name: string,
    /** What payloads are checked with, also in processes that do not have the handler; null: any are taken. */
    readonly schema: PayloadSchema | null = null,
    readonly defaults: HandlerDefaults = {},
  ) {}
}

/** What another copy of this package knows references by. Not a member of the class, whose type would differ from copy to copy. */
const isHandler = Symbol.for('nestjs-chronis.handler');
Object.defineProperty(HandlerReference.prototype, isHandler, { value: true });

/**
 * `O` with the handler as a reference and a payload that fits it; the payload may be left out where null or undefined is one. @publicApi
 */
export type ForHandler<O, R extends HandlerReference<any>> = Omit<O, 'handler' | 'payload'> & {
  handler: R;
} & PayloadOption<R['~payload']>;

/** A payload of this type. @publicApi */
export type PayloadOption<P> = null extends P
  ? { payload?: P }
  : undefined extends P
    ? { payload?: P }
    : { payload: P };

/** `O` as its caller may give it: with the handler by name or as a reference. */
export type ByHandler<O> = O | ForHandler<O, HandlerReference<any>>;

/** Also one of another copy of this package. */
export function isReference(handler: unknown): handler is HandlerReference {
  return (
    typeof handler === 'object' &&
    handler !== null &&
    (handler as { [isHandler]?: unknown })[isHandler] === true
  );
}

/** The schema that came with the handler; null: none. Throws InvalidOptionError: it is no schema. */
export function schemaOf(handler: unknown): PayloadSchema | null {
  if (!isReference(handler) || handler.schema === null) return null;
  return assertPayloadSchema(handler.schema);
}

/** The options with the defaults of their handler, where it is a reference and they say nothing else. */
export function withDefaults<O extends { handler: unknown }>(options: O): O {
  const { handler } = options;
  if (!isReference(handler)) return options;
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const keys = new Set(given.map(([key]) => key));
  const { misfire, ...others } = handler.defaults;
  const otherwise =
    keys.has('ifMissed') || keys.has('if_missed') || misfire === undefined ? others : { ...others, misfire };
  return { ...otherwise, ...Object.fromEntries(given) } as O;
}

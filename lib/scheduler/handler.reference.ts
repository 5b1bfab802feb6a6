import { assertPayloadSchema } from '../engine/payload.check.js';
import type { JobOptions } from '../model/job.options.js';
import type { JsonInput, JsonValue } from '../model/json.js';
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

/** A handler by its name, or as a reference. @publicApi */
export type HandlerInput = string | HandlerReference<any>;

/**
 * The payload that goes with a handler: of the reference's type, and then it may be left out where null or undefined is one; for a handler by name any
 * `P` that is JSON, interfaces included. @publicApi
 */
export type PayloadOption<H extends HandlerInput, P> =
  H extends HandlerReference<infer R>
    ? null extends R
      ? { payload?: R }
      : undefined extends R
        ? { payload?: R }
        : { payload: R }
    : { payload?: JsonValue | (P & JsonInput<P>) };

/** The same for a change, which may leave the payload as it is. @publicApi */
export type PayloadChange<H extends HandlerInput, P> =
  H extends HandlerReference<infer R> ? { payload?: R } : { payload?: JsonValue | (P & JsonInput<P>) };

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
export function withDefaults<O extends { handler?: unknown }>(options: O, isOneOff: boolean): O {
  const { handler } = options;
  if (!isReference(handler)) return options;
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const keys = new Set(given.map(([key]) => key));
  const { misfire, overlap, pauseAfterFailures, lateAfter, ...others } = handler.defaults;
  // Defaults are for the jobs of all kinds that are created with the definition.
  const ofRecurring = {
    ...(overlap && { overlap }),
    ...(pauseAfterFailures && { pauseAfterFailures }),
    ...((lateAfter ?? null) !== null && { lateAfter }),
  };
  const isOtherwise = keys.has('ifMissed') || keys.has('if_missed') || misfire === undefined;
  return {
    ...others,
    ...(isOtherwise ? {} : { misfire }),
    ...(isOneOff ? {} : ofRecurring),
    ...Object.fromEntries(given),
  } as O;
}

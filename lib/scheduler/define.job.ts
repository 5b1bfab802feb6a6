import { declares } from '../decorators/declaration.js';
import type { RunContext } from '../engine/run.context.js';
import type { JsonInput, JsonValue } from '../model/json.js';
import type { JsonForm, PayloadInput, PayloadOutput, PayloadSchema } from '../model/payload.schema.js';
import type { MethodOptions } from '../model/handler.options.js';
import type { RetryRules } from '../model/retry.rules.js';
import type { StandardSchema } from '../model/standard.schema.js';
import { previousNamesOf } from './handler.options.js';
import { HandlerReference, type HandlerDefaults } from './handler.reference.js';
import { createdJobKeys } from './job.definition.js';
import { knownOptions, lineOfText } from './option.checks.js';

/** What a defined job may say: the schema of its payload, and options of the jobs that are created with it. @publicApi */
export interface DefineJobOptions extends HandlerDefaults {
  /** What payloads are checked with. @default any JSON */
  schema?: PayloadSchema;
  /** Names that its handler had before, see `HandlerOptions.previousNames`. @default none */
  previousNames?: readonly string[];
}

/** A decorator for methods that take a RunContext with the payload `P`. @publicApi */
export type HandleDecorator<P> = <M extends (context: RunContext<P>) => unknown>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** A job that is known by type: `P` is what it is created with, `O` what its handler gets. @publicApi */
export class DefinedJob<P = JsonValue, O = P> extends HandlerReference<P> {
  /** For the compiler only; there is no such value. */
  declare readonly '~output': O;

  constructor(
    name: string,
    schema: PayloadSchema | null,
    defaults: HandlerDefaults,
    /** Names that the handler had before. */
    readonly previousNames: readonly string[],
  ) {
    super(name, schema, defaults);
  }

  /** Makes the method the handler of the job. A method that takes another payload is an error of the compiler. `rules` decide about its retries. */
  Handle(rules: RetryRules & MethodOptions = {}): HandleDecorator<O> {
    const { name, schema, previousNames } = this;
    const options = { ...rules, ...(schema === null ? {} : { schema }), previousNames };
    return declares(`@Handle of "${name}"`, { kind: 'handler', name, options });
  }
}

const neverDefaults: readonly string[] = ['id', 'payload', 'ifMissed', 'if_missed'];
const defineKeys = [
  'schema',
  ...createdJobKeys.filter((key) => !neverDefaults.includes(key)),
  'allowUnknownHandler',
  'previousNames',
];

/**
 * A job by its name and the type of its payload, from a schema or by hand. It declares its handler (`@SendEmail.Handle()`) and creates jobs
 * (`scheduler.schedule(SendEmail, { payload, in: '5m' })`), which take the other options as defaults. Throws InvalidOptionError.
 *
 * @example
 * export const SendEmail = defineJob<{ to: string }>('send-email', { queue: 'mail', maxRetries: 3 });
 * export const Resize = defineJob('resize', { schema: z.object({ image: z.string(), width: z.number() }) });
 * @publicApi
 */
export function defineJob<S extends PayloadSchema>(
  name: string,
  options: DefineJobOptions & { schema: S },
): DefinedJob<PayloadInput<S>, PayloadOutput<S>>;
export function defineJob<P>(
  name: string,
  options: Omit<DefineJobOptions, 'schema'> & { schema: StandardSchema<any, P> | (new () => P) },
): DefinedJob<JsonForm<P>, P>;
export function defineJob<P extends { [K in keyof P]: JsonInput<P[K]> } = JsonValue>(
  name: string,
  options?: Omit<DefineJobOptions, 'schema'> & { schema?: undefined },
): DefinedJob<P>;
export function defineJob(name: string, options: DefineJobOptions = {}): DefinedJob<unknown> {
  knownOptions(options, defineKeys, 'defineJob()');
  const { schema = null, previousNames = [], ...defaults } = options;
  return new DefinedJob(lineOfText(name, 'name'), schema, defaults, previousNamesOf(previousNames));
}

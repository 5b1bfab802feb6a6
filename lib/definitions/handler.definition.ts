import type { Definition } from '../model/definition.js';
import { InvalidOptionError } from '../model/errors.js';
import { toJson, type JsonObject, type JsonValue } from '../model/json.js';
import type { DurationInput } from '../model/trigger.js';
import type { GivenJob } from '../scheduler/create.options.js';
import { withDefaults, type HandlerInput } from '../scheduler/handler.reference.js';
import { handlerName } from '../scheduler/names.js';
import { knownOptions } from '../scheduler/option.checks.js';
import {
  aboutKeys,
  handlerDefinitionKeys,
  type HandlerDefinition,
  type StartOptions,
} from './definition.options.js';
import { assertTemplate, filledTemplate } from './payload.template.js';

/** What is stored of a definition of a handler: what was given of its jobs, with the name of the handler. */
type HandlerSpec = JsonObject & { handler: string; payload?: JsonValue; delay?: DurationInput & JsonValue };

/** Of the kind `handler`. Throws InvalidOptionError, InvalidPayloadError. */
export function handlerSpec(given: HandlerDefinition, limitBytes: number): HandlerSpec {
  const owner = 'define()';
  knownOptions(given, handlerDefinitionKeys, owner, {
    id: 'Give the id of a job when you start it: start(name, { key }).',
    at: 'Give it when you start it: start(name, { at }).',
    in: 'It is called "delay" here, and counts from the start on.',
    schema: 'The JSON Schema of its params is called "params".',
  });
  const isOneOff = given.cron === undefined && given.every === undefined;
  if (given.delay !== undefined && !isOneOff) {
    throw new InvalidOptionError('delay', 'is for what runs once; what recurs has "startAt".');
  }
  const merged = { ...withDefaults(given, isOneOff), handler: handlerName(given.handler as HandlerInput) };
  const said = Object.entries(merged).filter(([key]) => !aboutKeys.includes(key));
  const kept = Object.fromEntries(said.filter(([, value]) => value !== undefined));
  const spec = toJson(kept, 'definition', limitBytes) as HandlerSpec;
  if (spec.payload !== undefined) assertTemplate(spec.payload);
  return spec;
}

/** Whether jobs of it run again and again. */
export function recurs(spec: JsonObject): boolean {
  return spec.cron !== undefined || spec.every !== undefined;
}

/** The job that a start makes of a definition, but for its identity. Throws InvalidOptionError, InvalidPayloadError. */
export function jobOf(
  { spec }: Pick<Definition, 'spec'>,
  params: JsonValue,
  { at, delay }: StartOptions,
): GivenJob {
  const { payload: template, delay: ownDelay, ...job } = spec as HandlerSpec;
  const payload = template === undefined ? params : filledTemplate(template, params);
  if (recurs(spec)) {
    const stray = at !== undefined ? 'at' : delay !== undefined ? 'delay' : null;
    if (stray === null) return { ...job, payload } as GivenJob;
    throw new InvalidOptionError(stray, 'is for what runs once, and this definition recurs. Leave it out.');
  }
  if (at !== undefined && delay !== undefined)
    throw new InvalidOptionError('at', 'is given beside "delay". Give one of them.');
  const when = at !== undefined ? { at } : { in: delay ?? ownDelay ?? 0 };
  return { ...job, ...when, payload } as GivenJob;
}

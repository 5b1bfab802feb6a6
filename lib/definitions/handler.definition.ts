import { InvalidOptionError } from '../model/errors.js';
import { toJson, type JsonObject, type JsonValue } from '../model/json.js';
import type { DurationInput } from '../model/trigger.js';
import { withDefaults, type HandlerInput } from '../scheduler/handler.reference.js';
import { handlerName } from '../scheduler/names.js';
import { knownOptions } from '../scheduler/option.checks.js';
import { aboutKeys, handlerDefinitionKeys, type HandlerDefinition } from './definition.options.js';
import { assertTemplate } from './payload.template.js';

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

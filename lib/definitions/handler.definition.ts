import { InvalidOptionError } from '../model/errors.js';
import { toJson, type JsonObject, type JsonValue } from '../model/json.js';
import type { DurationInput } from '../model/trigger.js';
import { withDefaults, type HandlerInput } from '../scheduler/handler.reference.js';
import { handlerName } from '../scheduler/names.js';
import { knownOptions } from '../scheduler/option.checks.js';
import { taskJob, withTask } from '../tasks/task.option.js';
import {
  aboutKeys,
  handlerDefinitionKeys,
  type HandlerDefinition,
  type TaskDefinition,
} from './definition.options.js';
import { assertTemplate } from './payload.template.js';

/** What is stored of a definition of a job: what was given of its jobs, with the name of the handler. */
type HandlerSpec = JsonObject & { handler: string; payload?: JsonValue; delay?: DurationInput & JsonValue };

/** Of the kind `handler`. Throws InvalidOptionError, InvalidPayloadError. */
export function handlerSpec(given: HandlerDefinition, limitBytes: number): HandlerSpec {
  const isOneOff = isOnceByDefinition(given);
  const merged = { ...withDefaults(given, isOneOff), handler: handlerName(given.handler as HandlerInput) };
  const spec = storedSpec(merged, limitBytes) as HandlerSpec;
  if (spec.payload !== undefined) assertTemplate(spec.payload);
  return spec;
}

/** Of the kind `task`. Throws InvalidOptionError, InvalidPayloadError. */
export function taskSpec(given: TaskDefinition, limitBytes: number): JsonObject {
  isOnceByDefinition(given);
  withTask(given);
  const spec = storedSpec(given, limitBytes);
  assertTemplate(taskJob(spec.task).payload as JsonObject, 'task');
  return spec;
}

/** Throws InvalidOptionError. */
function isOnceByDefinition(given: HandlerDefinition | TaskDefinition): boolean {
  knownOptions(given, handlerDefinitionKeys, 'define()', {
    id: 'Give the id of a job when you start it: start(name, { key }).',
    at: 'Give it when you start it: start(name, { at }).',
    in: 'It is called "delay" here, and counts from the start on.',
    schema: 'The JSON Schema of its params is called "params".',
  });
  const isOneOff = given.cron === undefined && given.every === undefined;
  if (given.delay !== undefined && !isOneOff) {
    throw new InvalidOptionError('delay', 'is for what runs once; what recurs has "startAt".');
  }
  return isOneOff;
}

function storedSpec(given: object, limitBytes: number): JsonObject {
  const said = Object.entries(given).filter(([key]) => !aboutKeys.includes(key));
  const kept = Object.fromEntries(said.filter(([, value]) => value !== undefined));
  return toJson(kept, 'definition', limitBytes) as JsonObject;
}

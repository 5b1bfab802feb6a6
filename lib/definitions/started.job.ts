import { workflowHandler } from '../engine/own.handlers.js';
import type { Definition } from '../model/definition.js';
import { InvalidOptionError } from '../model/errors.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { DurationInput } from '../model/trigger.js';
import type { GivenJob } from '../scheduler/create.options.js';
import { taskJob } from '../tasks/task.option.js';
import type { StartOptions } from './definition.options.js';
import { filledTemplate } from './payload.template.js';
import { openingPayload } from './workflow.definition.js';

/** Whether jobs of it run again and again. */
export function recurs(spec: JsonObject): boolean {
  return spec.cron !== undefined || spec.every !== undefined;
}

/** The job that a start makes of a definition, but for its identity. Throws InvalidOptionError, InvalidPayloadError. */
export function startedJob(
  definition: Definition,
  params: JsonValue,
  when: Pick<StartOptions, 'at' | 'delay'> = {},
): GivenJob {
  const { kind, spec, source } = definition;
  // The code of a workflow opens its own runs, with the version that it is, or that the metadata asks for.
  if (source === 'code') return { ...jobShape(definition, when), handler: definition.name, payload: params };
  const payload = kind === 'workflow' ? openingPayload(definition, params) : payloadOf(kind, spec, params);
  return { ...jobShape(definition, when), payload };
}

/** The same without its payload, which depends on the params. */
export function jobShape(
  { kind, spec }: Pick<Definition, 'kind' | 'spec'>,
  { at, delay }: Pick<StartOptions, 'at' | 'delay'> = {},
): GivenJob {
  const { delay: ownDelay } = spec;
  const job = said(kind, spec);
  if (!recurs(spec)) return { ...job, ...dueOf(at, delay ?? (ownDelay as DurationInput | undefined), delay) };
  const stray = at !== undefined ? 'at' : delay !== undefined ? 'delay' : null;
  if (stray === null) return job;
  throw new InvalidOptionError(stray, 'is for what runs once, and this definition recurs. Leave it out.');
}

/** What it says of its jobs. The graph of a workflow is read by whoever opens it, and so is its timeout. */
function said(kind: Definition['kind'], spec: JsonObject): GivenJob {
  const others = ['payload', 'delay', 'task', ...(kind === 'workflow' ? ['steps', 'timeout'] : [])];
  const job = Object.fromEntries(Object.entries(spec).filter(([key]) => !others.includes(key)));
  return { ...job, handler: handlerOfDefinition(kind, spec) } as unknown as GivenJob;
}

/** What its jobs run. */
export function handlerOfDefinition(kind: Definition['kind'], spec: JsonObject): string {
  if (kind === 'workflow') return workflowHandler;
  return kind === 'task' ? taskJob(spec.task).handler : (spec.handler as string);
}

function payloadOf(kind: Definition['kind'], spec: JsonObject, params: JsonValue): JsonValue {
  const template = kind === 'task' ? (taskJob(spec.task).payload as JsonObject) : spec.payload;
  return template === undefined ? params : filledTemplate(template, params);
}

function dueOf(
  at: StartOptions['at'],
  delay: DurationInput | undefined,
  given: DurationInput | undefined,
): Pick<GivenJob, 'at' | 'in'> {
  if (at === undefined) return { in: delay ?? 0 };
  if (given === undefined) return { at };
  throw new InvalidOptionError('at', 'is given beside "delay". Give one of them.');
}

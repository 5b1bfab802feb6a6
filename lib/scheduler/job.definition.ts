import { InvalidOptionError } from '../model/errors.js';
import type { JobDefinition } from '../model/job.js';
import type { JobOptions } from '../model/job.options.js';
import { toJson, type JsonObject, type JsonValue } from '../model/json.js';
import { taskTypeOf } from '../model/task.js';
import { isOnce, type DurationInput, type Trigger, type TriggerInput } from '../model/trigger.js';
import { compileTrigger } from '../triggers/compiled.trigger.js';
import type { Calendars } from '../model/trigger.js';
import { normalizeTrigger, withAnchor } from '../triggers/normalize.js';
import { assertJobId, namespaceOf, refKey } from './job.identity.js';
import { handlerName, queueName } from './names.js';
import { described, lineOfText } from './option.checks.js';
import { policiesOf, priorityOf } from './policy.options.js';

/** What the module decides for all jobs. */
export interface JobDefaults {
  timeZone: string;
  payloadLimit: number;
  /** What exclusions may name. */
  calendars: Calendars;
}

/** The options of a job, declared or not, that do not belong to its trigger. */
export const jobOptionKeys = [
  'id',
  'name',
  'namespace',
  'queue',
  'priority',
  'payload',
  'metadata',
  'overlap',
  'misfire',
  'ifMissed',
  'if_missed',
  'misfireThreshold',
  'misfireLimit',
  'recovery',
  'maxRetries',
  'backoff',
  'timeout',
  'pauseAfterFailures',
  'lateAfter',
  'maxLost',
  'onSuccess',
  'onFailure',
] as const satisfies readonly (keyof JobOptions)[];

/** Those of a job that is made at run time. */
export const createdJobKeys = [...jobOptionKeys, 'app'] as const;

/** Shorter ones would cost statements all the time. In memory too, so that what has run there is not refused in PostgreSQL. */
const shortestIntervalMs = 1_000;

export interface JobInput {
  id: string;
  handler: string;
  trigger: TriggerInput;
  options: Omit<JobOptions, 'payload'> & { payload?: unknown; keep?: DurationInput };
  /** Whether a one-off in the past is an error. */
  refusePast?: boolean;
  /** Whether a schema checks what JSON makes of the payload. */
  hasSchema?: boolean;
}

/**
 * The one way from what users write to what is stored, for decorators and for jobs created at run time. Pure. Throws
 * InvalidJobIdError, InvalidOptionError, InvalidScheduleError, InvalidPayloadError before anything is stored.
 */
export function defineJob(
  { id, handler, trigger, options, refusePast, hasSchema }: JobInput,
  defaults: JobDefaults,
  now: number,
): JobDefinition {
  const ref = { namespace: namespaceOf(options.namespace), id: assertJobId(id) };
  const normalized = defineTrigger(trigger, refKey(ref), defaults, now, refusePast);
  assertOptionsFit(options, normalized);
  return {
    namespace: ref.namespace,
    id: ref.id,
    name: options.name === undefined ? null : lineOfText(options.name, 'name'),
    handler: handlerName(handler),
    queue: options.queue === undefined ? 'default' : queueName(options.queue),
    priority: priorityOf(options.priority ?? 5),
    trigger: normalized,
    timeZone: ('timeZone' in normalized ? normalized.timeZone : undefined) ?? defaults.timeZone,
    payload: payloadOf(options.payload ?? null, defaults, hasSchema === true, handler),
    metadata: metadataOf(options.metadata ?? {}, defaults),
    policies: policiesOf(options),
  };
}

export function defineTrigger(
  input: TriggerInput,
  jobKey: string,
  { timeZone, calendars }: JobDefaults,
  now: number,
  refusePast = false,
): Trigger {
  return normalizeTrigger(input, {
    timeZone,
    now,
    refusePast,
    minEveryMs: shortestIntervalMs,
    jobKey,
    calendars,
  });
}

/** Only what ends can be kept after its end, and only what recurs can overlap, or fail several times in a row. */
export function assertOptionsFit(
  options: { keep?: unknown; overlap?: unknown; pauseAfterFailures?: unknown; lateAfter?: unknown },
  trigger: Trigger,
): void {
  if (!isOnce(trigger)) {
    if (trigger.type === 'manual' && (options.lateAfter ?? null) !== null)
      throw new InvalidOptionError(
        'lateAfter',
        'is for what has a schedule; this job is never due by itself. Leave it out.',
      );
    if (options.keep === undefined) return;
    throw new InvalidOptionError('keep', 'is for one-offs; what recurs stays until it is deleted.');
  }
  for (const option of ['overlap', 'pauseAfterFailures', 'lateAfter'] as const) {
    if ((options[option] ?? null) === null) continue;
    throw new InvalidOptionError(option, 'is for what recurs; a one-off is due once. Leave it out.');
  }
}

/** `hasSchema`: one checks what JSON makes of it. `handler`: whose it is; an executor's is a task. */
export function payloadOf(
  payload: unknown,
  { payloadLimit }: JobDefaults,
  hasSchema: boolean,
  handler: string,
): JsonValue {
  return toJson(payload, taskTypeOf(handler) === null ? 'payload' : 'task', payloadLimit, hasSchema);
}

export function metadataOf(metadata: unknown, { payloadLimit }: JobDefaults): JsonObject {
  const value = toJson(metadata, 'metadata', payloadLimit);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new InvalidOptionError('metadata', `must be an object, but is ${described(metadata)}.`);
}

/**
 * The trigger with the anchor that an interval without one gets, and the first instant after `now`; a one-off's instant also when it is past.
 * Null: it never fires (again).
 */
export function beginSchedule(
  definition: Pick<JobDefinition, 'namespace' | 'id' | 'trigger'>,
  now: number,
  calendars: Calendars,
  anchor: number = now,
): { trigger: Trigger; nextAt: number | null } {
  const trigger = withAnchor(definition.trigger, anchor);
  const nextAt =
    trigger.type === 'at'
      ? Date.parse(trigger.at)
      : compileTrigger(trigger, refKey(definition), calendars).next(now);
  return { trigger, nextAt };
}

import type { Declaration } from '../decorators/declaration.js';
import { ChronisError, InvalidOptionError } from '../model/errors.js';
import type {
  AtOptions,
  CronOptions,
  DeclarationOptions,
  IntervalOptions,
  JobOptions,
} from '../model/job.options.js';
import type { HandlerOptions } from '../model/handler.options.js';
import type { CronFields, DurationInput, InstantInput, TriggerInput } from '../model/trigger.js';
import { definitionHash } from '../scheduler/definition.hash.js';
import { defineJob, jobOptionKeys, type JobDefaults } from '../scheduler/job.definition.js';
import { assertJobId } from '../scheduler/job.identity.js';
import { described, knownOptions, trueOrFalse } from '../scheduler/option.checks.js';
import { handlerOptionsOf } from '../scheduler/handler.options.js';
import { cronTrigger, timingKeys, timingOf } from '../scheduler/trigger.options.js';
import { localRemarks } from '../triggers/local.remark.js';
import type { DeclaredJob } from './declared.job.js';

/** A declaration whose schedule may have to be made yet. */
export type SchedulingDeclaration = Exclude<Declaration, { kind: 'handler' }>;

/** A declaration whose schedule is known. */
export type ScheduleDeclaration =
  | { kind: 'cron'; schedule: string | CronFields; options: CronOptions }
  | { kind: 'interval'; every: DurationInput; options: IntervalOptions }
  | { kind: 'at'; at: InstantInput; options: AtOptions };

const decorators = { cron: '@Cron', interval: '@Interval', at: '@At', handler: '@JobHandler' } as const;
const maxPreviousIds = 100;

/** For messages. */
export function decoratorOf({ kind }: Declaration): string {
  return decorators[kind];
}

/** Runs `read`; what it throws names the decorator and the method. */
export function naming<T>({ kind }: Declaration, place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ChronisError) prefixMessage(error, `${decorators[kind]} on ${place}: `);
    throw error;
  }
}

/** Whether the declaration counts; its options are checked here for the first time. */
export function isEnabled(declaration: SchedulingDeclaration): boolean {
  const { kind } = declaration;
  const known = [
    ...jobOptionKeys,
    ...timingKeys[kind],
    'retryIf',
    'previousIds',
    'disabled',
    'useEnhancers',
    'instance',
  ];
  const { disabled } = knownOptions(declaration.options, known, decorators[kind]);
  return disabled === undefined || !trueOrFalse(disabled, 'disabled');
}

/** The job that a decorator declares. Throws like `defineJob`. */
export function readSchedule(
  declaration: ScheduleDeclaration,
  names: { defaultId: string; handler: string; place: string },
  defaults: JobDefaults,
  now: number,
): DeclaredJob {
  const options = storedOptions(declaration);
  const { defaultId, handler, place } = names;
  const id = options.id === undefined ? defaultId : options.id;
  const definition = defineJob({ id, handler, trigger: triggerOf(declaration), options }, defaults, now);
  const previousIds = previousIdsOf(options.previousIds);
  const remarks = declaration.kind === 'at' ? localRemarks(declaration.at, definition.timeZone) : [];
  return { definition, hash: definitionHash(definition), previousIds, place, remarks };
}

/** What one decorator says about its method as a handler. */
export function optionsOf(declaration: Declaration): HandlerOptions {
  if (declaration.kind === 'handler') {
    const { options } = declaration;
    // What is no object is refused as a whole.
    if (typeof options !== 'object' || options === null) return handlerOptionsOf(options, '@JobHandler');
    const { useEnhancers: _, instance: __, ...rest } = options;
    return handlerOptionsOf(rest, '@JobHandler');
  }
  const { retryIf, backoff } = declaration.options;
  return handlerOptionsOf(
    { retryIf, ...(typeof backoff === 'function' ? { backoff } : {}) },
    decorators[declaration.kind],
  );
}

/** Whether the method is called through Nest's enhancers; undefined: it does not say. */
export function enhancersOf({ options: { useEnhancers } }: Declaration): boolean | undefined {
  return useEnhancers === undefined ? undefined : trueOrFalse(useEnhancers, 'useEnhancers');
}

/** Functions belong to the handler, not to what is stored. */
function storedOptions({ options }: ScheduleDeclaration): JobOptions & DeclarationOptions {
  const { retryIf: _, useEnhancers: __, instance: ___, backoff, ...rest } = options;
  return typeof backoff === 'function' || backoff === undefined ? rest : { ...rest, backoff };
}

function triggerOf(declaration: ScheduleDeclaration): TriggerInput {
  const options = declaration.options as Readonly<Record<string, unknown>>;
  switch (declaration.kind) {
    case 'cron':
      return cronTrigger(declaration.schedule, options);
    case 'interval':
      return { ...timingOf('interval', options), every: declaration.every };
    case 'at':
      return { ...timingOf('at', options), at: declaration.at };
  }
}

function previousIdsOf(given: unknown): string[] {
  if (given === undefined) return [];
  if (!Array.isArray(given) || given.length > maxPreviousIds) {
    throw new InvalidOptionError(
      'previousIds',
      `must be a list of at most ${maxPreviousIds} ids, but is ${described(given)}.`,
    );
  }
  return given.map((id) => assertJobId(id));
}

/** Of the stack as well: it is what Nest prints when the boot fails. */
export function prefixMessage(error: ChronisError, text: string): void {
  const { message, stack } = error;
  error.message = `${text}${message}`;
  if (stack !== undefined) error.stack = stack.replace(message, () => error.message);
}

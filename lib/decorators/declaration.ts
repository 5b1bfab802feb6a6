import type { AtOptions, CronOptions, IntervalOptions } from '../model/job.options.js';
import type { HandlerOptions, MethodOptions } from '../model/handler.options.js';
import type { CronFields, DurationInput, InstantInput } from '../model/trigger.js';
import type { ScheduleFactory } from './schedule.factory.js';
import { annotates, annotationsOf } from './annotation.js';

/** What one decorator says about its method. Nothing is checked before the application boots, where the errors can be shown. */
export type Declaration =
  | { kind: 'cron'; schedule: Configurable<string | CronFields>; options: CronOptions }
  | { kind: 'interval'; every: Configurable<DurationInput>; options: IntervalOptions }
  | { kind: 'at'; at: Configurable<InstantInput>; options: AtOptions }
  | { kind: 'handler'; name: string; options: HandlerOptions & MethodOptions };

type Configurable<T> = T | ScheduleFactory<T>;

const metadataKey = 'chronis:declarations';

/** A decorator that adds to what is declared on the method; decorators nearer to the method come first. */
export function declares(decorator: string, declaration: Declaration): MethodDecorator {
  return annotates(metadataKey, decorator, declaration);
}

/** What is declared on the method of a class; inherited methods are included. */
export function inheritedDeclarationsOf(prototype: object, method: string): readonly Declaration[] {
  let owner: object | null = prototype;
  while (owner !== null && !Object.hasOwn(owner, method))
    owner = Object.getPrototypeOf(owner) as object | null;
  return owner === null ? [] : declarationsOf(owner, method);
}

/** Whether the method has a decorator of this package that schedules it, so that some ChronisModule is needed. @publicApi */
export function isScheduledByChronis(prototype: object, method: string): boolean {
  return inheritedDeclarationsOf(prototype, method).some(({ kind }) => kind !== 'handler');
}

/** What is declared on this very method: one that overrides another does not inherit its schedules. */
export function declarationsOf(prototype: object, method: string): readonly Declaration[] {
  return annotationsOf(metadataKey, prototype, method) as readonly Declaration[];
}

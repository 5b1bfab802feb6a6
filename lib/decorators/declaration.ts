import 'reflect-metadata';
import { InvalidOptionError } from '../model/errors.js';
import type { AtOptions, CronOptions, IntervalOptions } from '../model/job.options.js';
import type { HandlerOptions } from '../model/handler.options.js';
import type { CronFields, DurationInput, InstantInput } from '../model/trigger.js';

/** What one decorator says about its method. Nothing is checked before the application boots, where the errors can be shown. */
export type Declaration =
  | { kind: 'cron'; schedule: string | CronFields; options: CronOptions }
  | { kind: 'interval'; every: DurationInput; options: IntervalOptions }
  | { kind: 'at'; at: InstantInput; options: AtOptions }
  | { kind: 'handler'; name: string; options: HandlerOptions };

/** A constant, so that two copies of the package in one process understand each other. */
const metadataKey = 'chronis:declarations';

/** A decorator that adds to what is declared on the method; decorators nearer to the method come first. */
export function declares(decorator: string, declaration: Declaration): MethodDecorator {
  return (target: object, method: string | symbol, descriptor?: PropertyDescriptor) => {
    const refuse = (problem: string): never => {
      const owner = typeof target === 'function' ? target.name : target.constructor.name;
      throw new InvalidOptionError(`${decorator} on ${owner}.${String(method)}`, problem);
    };
    if (typeof target === 'function') refuse('is a static method; only methods of an instance can be run.');
    if (typeof method === 'symbol')
      refuse('is named by a symbol; only methods with a name in text are found.');
    if (typeof descriptor?.value !== 'function') refuse('is not a method. Decorate a method of the class.');
    const earlier = declarationsOf(target, method as string);
    Reflect.defineMetadata(metadataKey, [...earlier, declaration], target, method);
  };
}

/** What is declared on the method of a class; inherited methods are included. */
export function inheritedDeclarationsOf(prototype: object, method: string): readonly Declaration[] {
  let owner: object | null = prototype;
  while (owner !== null && !Object.hasOwn(owner, method))
    owner = Object.getPrototypeOf(owner) as object | null;
  return owner === null ? [] : declarationsOf(owner, method);
}

/** What is declared on this very method: one that overrides another does not inherit its schedules. */
export function declarationsOf(prototype: object, method: string): readonly Declaration[] {
  return (Reflect.getOwnMetadata(metadataKey, prototype, method) ?? []) as Declaration[];
}

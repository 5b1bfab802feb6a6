import 'reflect-metadata';
import { applyDecorators, SetMetadata } from '@nestjs/common';
import { InvalidOptionError, meantOption, noteDecorated } from '../index.js';
import type { CronOptions } from './cron.decorator.js';
import type { CronSource } from './cron.time.js';
import {
  SCHEDULE_CRON_OPTIONS,
  SCHEDULE_INTERVAL_OPTIONS,
  SCHEDULE_TIMEOUT_OPTIONS,
  SCHEDULER_NAME,
  SCHEDULER_TYPE,
} from './schedule.constants.js';

/** What a decorator says about its method. */
export type ScheduleMetadata =
  | { kind: 'cron'; options: CronOptions & { cronTime: CronSource } }
  | { kind: 'interval'; name: string | undefined; ms: number; distributed: boolean | undefined }
  | { kind: 'timeout'; name: string | undefined; ms: number };

/** On the class and the name of the method, where what replaces the method does not take it away. */
const decorated = Symbol.for('nestjs-chronis.schedule.decorated');

/** Options of `@Interval`. @publicApi */
export interface IntervalOptions {
  /** False: on a timer of every process, also where the module is distributed. @default true where the module is, from one second on */
  distributed?: boolean;
}

/** Options of `@Timeout`. @publicApi */
export interface TimeoutOptions {
  /** It is on a timer of every process anyway. @default false */
  distributed?: false;
}

const kinds = [
  {
    ...{ kind: 'cron', type: 1, key: SCHEDULE_CRON_OPTIONS, decorator: '@Cron', set: ['cronTime'] },
    known: [
      ...['name', 'timeZone', 'utcOffset', 'unrefTimeout', 'waitForCompletion', 'disabled', 'threshold'],
      ...['initialDelay', 'distributed'],
    ],
  },
  {
    ...{ kind: 'timeout', type: 2, key: SCHEDULE_TIMEOUT_OPTIONS, decorator: '@Timeout', set: ['timeout'] },
    known: ['distributed'],
  },
  {
    ...{
      kind: 'interval',
      type: 3,
      key: SCHEDULE_INTERVAL_OPTIONS,
      decorator: '@Interval',
      set: ['timeout'],
    },
    known: ['distributed'],
  },
] as const;

/** A decorator of the kind. Of several on one method the outermost counts. */
export function schedules(
  kind: ScheduleMetadata['kind'],
  name: string | undefined,
  options: object,
): MethodDecorator {
  const { type, key, decorator } = kinds.find((candidate) => candidate.kind === kind)!;
  return applyDecorators(
    SetMetadata(key, options),
    SetMetadata(SCHEDULER_NAME, name),
    SetMetadata(SCHEDULER_TYPE, type),
    (target: object, method: string | symbol) => {
      if (typeof target === 'function' && (method as unknown) === undefined) {
        throw new InvalidOptionError(
          `${decorator} on ${target.name}`,
          'is on a class. Decorate the method that is to be run.',
        );
      }
      if (typeof target !== 'object' || typeof method !== 'string') return;
      noteDecorated(target, method);
      Reflect.defineMetadata(decorated, true, target, method);
    },
  );
}

/** Null: it is not scheduled. */
export function scheduleOf(method: unknown): ScheduleMetadata | null {
  if (typeof method !== 'function' && (typeof method !== 'object' || method === null)) return null;
  const type: unknown = Reflect.getMetadata(SCHEDULER_TYPE, method);
  const found = kinds.find((candidate) => candidate.type === type);
  if (!found) return null;
  const options = Reflect.getMetadata(found.key, method) as never;
  if (found.kind === 'cron') return { kind: 'cron', options };
  const name = Reflect.getMetadata(SCHEDULER_NAME, method) as string | undefined;
  const { timeout: ms, distributed } = options as { timeout: number; distributed?: boolean };
  return found.kind === 'interval'
    ? { kind: 'interval', name, ms, distributed }
    : { kind: 'timeout', name, ms };
}

/** What is said of options that there are not, as no error is made of them: the original ignores them as well. */
export function unknownOptions(method: object, place: string): string[] {
  const type: unknown = Reflect.getMetadata(SCHEDULER_TYPE, method);
  const found = kinds.find((candidate) => candidate.type === type);
  if (!found) return [];
  const { decorator, key, known, set } = found;
  const given = Object.keys(Reflect.getMetadata(key, method) as object);
  return given
    .filter((option) => ![...known, ...set].includes(option))
    .map((option) => {
      const meant = meantOption(option, known);
      const hint =
        meant === null
          ? `There are: ${known.join(', ')}. What jobs take besides is said in overrides of the module.`
          : `Did you mean "${meant}"?`;
      return `${decorator} on ${place} ignores "${option}": it has no such option. ${hint}`;
    });
}

/**
 * Methods of a class whose decorator of this package is out of reach, as one above has put another function, or a getter, in their place. Nothing is read of getters, which may have effects. What a class
 * overrides without a decorator of its own has none.
 */
export function hiddenMethods(prototype: object): string[] {
  const hidden: string[] = [];
  const seen = new Set<string>();
  for (let owner: object | null = prototype; owner !== null && owner !== Object.prototype;) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      if (seen.has(name)) continue;
      seen.add(name);
      if (!Reflect.hasOwnMetadata(decorated, owner, name)) continue;
      if (scheduleOf(Object.getOwnPropertyDescriptor(owner, name)?.value) === null) hidden.push(name);
    }
    owner = Object.getPrototypeOf(owner) as object | null;
  }
  return hidden;
}

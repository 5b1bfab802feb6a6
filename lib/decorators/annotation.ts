import 'reflect-metadata';
import { InvalidOptionError } from '../model/errors.js';
import { noteDecorated } from './decorated.classes.js';

/**
 * A decorator that adds to what is noted on the method under `key`; decorators nearer to the method come first. The key is a constant, so that two copies
 * of the package in one process understand each other.
 */
export function annotates(key: string, decorator: string, note: object): MethodDecorator {
  return (target: object, method: string | symbol, descriptor?: PropertyDescriptor) => {
    const refuse = (problem: string): never => {
      const owner = typeof target === 'function' ? target.name : target.constructor.name;
      throw new InvalidOptionError(`${decorator} on ${owner}.${String(method)}`, problem);
    };
    if (typeof target === 'function' && method === undefined) {
      throw new InvalidOptionError(
        `${decorator} on ${target.name}`,
        'is on a class. Decorate the method that is to be run.',
      );
    }
    if (typeof target === 'function') refuse('is a static method; only methods of an instance can be run.');
    if (typeof method === 'symbol')
      refuse('is named by a symbol; only methods with a name in text are found.');
    if (typeof descriptor?.value !== 'function') refuse('is not a method. Decorate a method of the class.');
    const earlier = annotationsOf(key, target, method as string);
    Reflect.defineMetadata(key, [...earlier, note], target, method);
    noteDecorated(target, method as string);
  };
}

/**
 * Refuses a decorator that is written without parentheses: it would be called with the class and the name of the method as if these were its options, and nothing would run. `given`: its arguments.
 * Throws InvalidOptionError. For decorators that take neither a class nor an object with a text beside it. @publicApi
 */
export function assertCalled(decorator: string, given: ArrayLike<unknown>): void {
  const [target, method] = [given[0], given[1]];
  const isMethod = typeof method === 'string' || typeof method === 'symbol';
  const isClass = typeof target === 'function' && target.prototype !== undefined;
  const isTarget = isClass || (isMethod && typeof target === 'object' && target !== null);
  if (!isTarget) return;
  const owner = typeof target === 'function' ? target.name : (target as object).constructor.name;
  throw new InvalidOptionError(
    `${decorator} on ${owner}${isMethod ? `.${String(method)}` : ''}`,
    `is written without parentheses. Write ${decorator}(…).`,
  );
}

/** The same, of the class that has the method, which may be one that this one extends. */
export function inheritedAnnotationsOf(key: string, prototype: object, method: string): readonly object[] {
  let owner: object | null = prototype;
  while (owner !== null && !Object.hasOwn(owner, method))
    owner = Object.getPrototypeOf(owner) as object | null;
  return owner === null ? [] : annotationsOf(key, owner, method);
}

/** What is noted on this very method: one that overrides another does not inherit its decorators. */
export function annotationsOf(key: string, prototype: object, method: string): readonly object[] {
  return (Reflect.getOwnMetadata(key, prototype, method) ?? []) as object[];
}

import 'reflect-metadata';
import type { DiscoveryService } from '@nestjs/core';
import { noteProvided, unprovidedClasses } from '../decorators/decorated.classes.js';

/** What `@Injectable()` and `@Controller()` leave on a class: without one of them it is more likely the base of others. */
const marks = ['__injectable__', '__controller__'];

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/**
 * Methods of decorated classes that were loaded, and that no module provides: nothing runs them here. Not those whose place somebody else has taken in a test, that a class extends which is
 * provided, that `handlerOf()` was called for, or that another application of this process has provided.
 */
export function unprovidedMethods(discovery: DiscoveryService): string[] {
  for (const wrapper of [...discovery.getProviders(), ...discovery.getControllers()]) {
    for (const prototype of prototypesOf(wrapper)) noteProvided(prototype);
  }
  return unprovidedClasses()
    .filter(({ prototype }) => marks.some((mark) => Reflect.hasOwnMetadata(mark, prototype.constructor)))
    .flatMap(({ prototype, methods }) => methods.map((name) => `${prototype.constructor.name}.${name}`));
}

/** Of the instance, of the class that makes it, and of the class that it stands for. */
function prototypesOf({ instance, metatype, token }: Wrapper): object[] {
  const found: unknown[] = [metatype, token].map((each) =>
    typeof each === 'function' ? (each.prototype as unknown) : null,
  );
  if (typeof instance === 'object' && instance !== null) found.push(Object.getPrototypeOf(instance));
  return found.filter((each) => typeof each === 'object' && each !== null);
}

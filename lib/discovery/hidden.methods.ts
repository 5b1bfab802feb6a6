import { declarationsOf } from '../decorators/declaration.js';
import { eventAnnotationsOf } from '../decorators/on.job.event.decorator.js';
import { InvalidOptionError } from '../model/errors.js';
import { decoratorOf } from './declaration.reader.js';
import type { DeclaringProvider } from './declaring.provider.js';

/**
 * Throws InvalidOptionError for a method that another decorator has made something else of, such as a getter: the scanner of Nest passes over it, so it would never run, and decorators of its function are
 * out of reach. Nothing is read of it, as getters of others may have effects.
 */
export function assertNoneHidden({ prototype, className }: DeclaringProvider): void {
  const seen = new Set<string>();
  for (let owner: object | null = prototype; owner !== null && owner !== Object.prototype;) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      // What overrides it has only decorators of its own.
      if (seen.has(name)) continue;
      seen.add(name);
      if (typeof Object.getOwnPropertyDescriptor(owner, name)?.value === 'function') continue;
      const decorator = decoratorAt(owner, name);
      if (decorator === null) continue;
      throw new InvalidOptionError(
        `${decorator} on ${className}.${name}`,
        'is no method any more: a decorator above it has put a getter in its place, which nothing would run. Take that decorator away; runs call the method on its instance anyway, so it needs no binding for them.',
      );
    }
    owner = Object.getPrototypeOf(owner) as object | null;
  }
}

function decoratorAt(owner: object, name: string): string | null {
  const [declaration] = declarationsOf(owner, name);
  if (declaration !== undefined) return decoratorOf(declaration);
  return eventAnnotationsOf(owner, name).length > 0 ? '@OnJobEvent' : null;
}

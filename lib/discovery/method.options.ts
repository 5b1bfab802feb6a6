import type { Declaration } from '../decorators/declaration.js';
import { InvalidOptionError } from '../model/errors.js';
import type { HandlerOptions } from '../model/handler.options.js';
import { enhancersOf, naming, optionsOf } from './declaration.reader.js';

/** A method is one handler, so its decorators must agree. */
export function optionsOfMethod(declarations: readonly Declaration[], place: string): HandlerOptions {
  const options: HandlerOptions = {};
  for (const declaration of declarations) {
    naming(declaration, place, () => {
      // What a name was before belongs to the name.
      const { previousNames: _, ...own } = optionsOf(declaration);
      for (const [key, option] of Object.entries(own) as [keyof HandlerOptions, never][]) {
        if ((options[key] ??= option) === option) continue;
        const what = key === 'schema' ? 'schema' : 'function';
        throw new InvalidOptionError(
          key,
          `another decorator of the method gives another ${what}. Give it once.`,
        );
      }
    });
  }
  return options;
}

/** Whether it is called through Nest's enhancers; undefined: none of its decorators says. Throws InvalidOptionError. */
export function methodEnhancers(declarations: readonly Declaration[], place: string): boolean | undefined {
  let common: boolean | undefined;
  for (const declaration of declarations) {
    naming(declaration, place, () => {
      const own = enhancersOf(declaration);
      if (own === undefined || (common ??= own) === own) return;
      throw new InvalidOptionError(
        'useEnhancers',
        'another decorator of the method says otherwise. Say it once.',
      );
    });
  }
  return common;
}

import 'reflect-metadata';
import { hasArguments } from '../decorators/arguments.decorator.js';
import { isRoute } from './unapplied.enhancers.js';

const pipesKey = '__pipes__';
const typesKey = 'design:paramtypes';

/** What a method has that only `@Payload()` would give an effect. */
export interface UnmarkedPayload {
  /** The class that its first parameter is typed with, `Number` for a number and so on, though it gets the RunContext; null: none. */
  type: string | null;
  /** It has `@UsePipes`. */
  pipes: boolean;
}

/** Null: its parameters are marked, or nothing suggests that it expects a payload. The RunContext is an interface, which leaves no type. */
export function unmarkedPayload(
  prototype: Readonly<Record<string, unknown>>,
  method: string,
): UnmarkedPayload | null {
  if (hasArguments(prototype, method)) return null;
  const code = prototype[method] as object;
  const pipes = Reflect.hasMetadata(pipesKey, code) && !isRoute(code);
  const [first] = (Reflect.getMetadata(typesKey, prototype, method) ?? []) as unknown[];
  // What stands for interfaces.
  const type = typeof first === 'function' && first !== Object ? first.name : null;
  return pipes || type !== null ? { type, pipes } : null;
}

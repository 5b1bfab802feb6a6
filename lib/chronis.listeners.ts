import type { ChronisEventName } from './events/event.map.js';
import { selectEvents } from './events/event.names.js';
import { InvalidOptionError } from './model/errors.js';
import { described } from './scheduler/option.checks.js';

/** A listener of the module's option `on`, with the names that it is called for. */
export interface EventListening {
  names: readonly ChronisEventName[];
  listener: (event: object) => unknown;
}

/** Throws InvalidOptionError for what is no event, and for what cannot be called. */
export function listenersOf(given: unknown = {}): EventListening[] {
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError(
      'on',
      `must be an object of functions by the names of events, but is ${described(given)}.`,
    );
  }
  return Object.entries(given)
    .filter(([, listener]) => listener !== undefined)
    .map(([selector, listener]) => {
      const names = selectEvents(selector, 'on');
      if (typeof listener === 'function') return { names, listener: listener as EventListening['listener'] };
      throw new InvalidOptionError(`on['${selector}']`, `must be a function, but is ${described(listener)}.`);
    });
}

/** Sharing these would tell of itself for ever. */
const unshared: ReadonlySet<ChronisEventName> = new Set<ChronisEventName>([
  'sharing.failing',
  'listener.failed',
]);

/** What the option `shareEvents` stands for; null: nothing is told or heard. Throws InvalidOptionError. */
export function sharedNamesOf(given: unknown): readonly ChronisEventName[] | null {
  if (given === undefined || given === false) return null;
  const names = selectEvents(given === true ? ['run.*', 'job.*'] : given, 'shareEvents');
  const refused = Array.isArray(given) ? given.find((each) => unshared.has(each as never)) : given;
  if (unshared.has(refused as never)) {
    throw new InvalidOptionError('shareEvents', `the event "${String(refused)}" cannot be shared.`);
  }
  return names.filter((name) => !unshared.has(name));
}

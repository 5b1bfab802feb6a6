import { InvalidOptionError } from '../model/errors.js';
import { refuseUnknown } from '../model/unknown.options.js';
import type { ChronisEventName } from './event.map.js';
import { isEventName, selectEvents } from './event.names.js';

/** One event by its name. Throws InvalidOptionError. */
export function assertEventName(name: unknown, owner: string): asserts name is ChronisEventName {
  if (isEventName(name)) return;
  const found = selectEvents(name, owner);
  throw new InvalidOptionError(
    owner,
    `takes one event by its name, and "${String(name)}" stands for ${found.join(', ')}. stream() and @OnJobEvent take several.`,
  );
}

export function assertFunction(given: unknown, owner: string): void {
  if (typeof given === 'function') return;
  throw new InvalidOptionError(
    owner,
    `takes a function, but was given ${given === null ? 'null' : typeof given}.`,
  );
}

/** Throws InvalidOptionError for a key that nobody would read, and a `remote` that is neither true nor false. */
export function assertListenOptions(given: unknown, known: readonly string[], owner: string): void {
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError(owner, `takes options as an object, but was given ${String(given)}.`);
  }
  refuseUnknown(owner, given, known);
  const { remote } = given as { remote?: unknown };
  if (remote === undefined || typeof remote === 'boolean') return;
  throw new InvalidOptionError(
    'remote',
    `must be true or false, but is ${remote === null ? 'null' : `a ${typeof remote}`}.`,
  );
}

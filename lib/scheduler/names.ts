import { InvalidOptionError } from '../model/errors.js';
import { isReference } from './handler.reference.js';
import { lineOfText } from './option.checks.js';

const maxQueueLength = 100;
const maxAppLength = 100;

/** The name of a handler, given so or as a reference, that can be stored. Throws InvalidOptionError. */
export function handlerName(handler: unknown, option = 'handler'): string {
  if (typeof handler === 'function') {
    throw new InvalidOptionError(
      option,
      `must be the name of a handler, but is a function. Register it with registerHandler(name, fn) and give the name.`,
    );
  }
  if (isReference(handler)) return handler.name;
  return lineOfText(handler, option);
}

/** The name of a queue. Throws InvalidOptionError. */
export function queueName(queue: unknown, option = 'queue'): string {
  return lineOfText(queue, option, maxQueueLength);
}

/** The name of an app. Throws InvalidOptionError. */
export function appName(app: unknown): string {
  return lineOfText(app, 'app', maxAppLength);
}

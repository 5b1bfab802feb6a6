import type { LogSettings } from './events/event.logger.js';
import { selectEvents } from './events/event.names.js';
import { InvalidOptionError } from './model/errors.js';
import { described, knownOptions, oneOf, trueOrFalse } from './scheduler/option.checks.js';

/** What the option `log` stands for; null: nothing is written. Throws InvalidOptionError. */
export function logSettingsOf(given: unknown = true): LogSettings | null {
  if (given === false) return null;
  if (given !== true && (typeof given !== 'object' || given === null)) {
    throw new InvalidOptionError(
      'log',
      `must be true, false, or an object such as { format: 'json' }, but is ${described(given)}.`,
    );
  }
  const {
    format = 'text',
    silent = [],
    everyRun = false,
  } = given === true ? {} : knownOptions(given, ['format', 'silent', 'everyRun'], 'log');
  return {
    format: oneOf(format, 'log.format', ['text', 'json']),
    silent: new Set(selectEvents(silent, 'log.silent')),
    everyRun: trueOrFalse(everyRun, 'log.everyRun'),
  };
}

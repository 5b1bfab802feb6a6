import type { ChronisEventName } from './event.map.js';
import { usualRedactor, type Redactor } from './redactor.js';
import { errorFields } from './shown.error.js';
import { isError } from './thrown.parts.js';

const mostItems = 50;
/** Of causes and parts. */
const deepest = 3;

/**
 * An event as a line for machines. An object, so that loggers which write JSON themselves keep its fields apart; it shows itself as one
 * line of JSON where Nest's logger writes text.
 */
export class LogRecord {
  readonly event: ChronisEventName;
  readonly message: string;

  constructor(name: ChronisEventName, message: string, fields: object, redactor: Redactor = usualRedactor) {
    this.event = name;
    this.message = message;
    for (const [key, value] of Object.entries(fields))
      Reflect.set(this, key, redactor.value(loggable(key, value), 'log', key));
  }

  /** What loggers make of it that know nothing but text, such as that of Nest 10. */
  toString(): string {
    return JSON.stringify(this);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

function loggable(key: string, value: unknown): unknown {
  // Handlers may throw anything, also what is no JSON.
  if (key === 'error' || isError(value)) return loggableError(value, 0);
  return Array.isArray(value) ? value.slice(0, mostItems) : value;
}

function loggableError(error: unknown, depth: number): object {
  const { cause, errors, ...fields } = errorFields(error);
  if (depth === deepest) return fields;
  return {
    ...fields,
    ...(cause === undefined ? {} : { cause: loggableError(cause, depth + 1) }),
    ...(errors === undefined ? {} : { errors: errors.map((each) => loggableError(each, depth + 1)) }),
  };
}

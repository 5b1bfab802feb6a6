import { isA } from '../model/thrown.js';
import type { ChronisEventName } from './event.map.js';
import { messageOf, stackOf } from './shown.error.js';

const mostItems = 50;

/**
 * An event as a line for machines. An object, so that loggers which write JSON themselves keep its fields apart; it shows itself as one
 * line of JSON where Nest's logger writes text.
 */
export class LogRecord {
  readonly event: ChronisEventName;
  readonly message: string;

  constructor(name: ChronisEventName, message: string, fields: object) {
    this.event = name;
    this.message = message;
    for (const [key, value] of Object.entries(fields)) Reflect.set(this, key, loggable(key, value));
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return JSON.stringify(this);
  }
}

function loggable(key: string, value: unknown): unknown {
  if (isA(value, Error)) return { name: nameOf(value), message: messageOf(value), stack: stackOf(value) };
  // Handlers may throw anything, also what is no JSON.
  if (key === 'error') return { message: messageOf(value) };
  return Array.isArray(value) ? value.slice(0, mostItems) : value;
}

function nameOf(error: Error): string {
  try {
    return String(error.name);
  } catch {
    return 'Error';
  }
}

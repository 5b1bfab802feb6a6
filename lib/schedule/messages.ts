import { ChronisError } from '../index.js';
import { CronError } from './cron.error.js';

// Word for word what the original throws: applications compare these texts.

export function notFound(kind: string, name: string): string {
  return `No ${kind} was found with the given name (${name}). Check that you created one with a decorator or with the create API.`;
}

export function duplicate(kind: string, name: string): string {
  return `${kind} with the given name (${name}) already exists. Ignored.`;
}

/** Runs `action`; what it throws names the method, unless it is about what the module says of it. */
export function naming<T>(place: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const isOurs = error instanceof CronError || error instanceof ChronisError;
    if (isOurs && !error.message.includes(place) && !error.message.startsWith('overrides[')) {
      const { message, stack } = error;
      error.message = `${place}: ${message}`;
      if (stack !== undefined) error.stack = stack.replace(message, () => error.message);
    }
    throw error;
  }
}

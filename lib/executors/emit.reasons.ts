import { inspect } from 'node:util';

/** What is wrong, of what a client throws: that of RabbitMQ throws `{ err, url }`, with the password in the URL. */
export function reasonOf(thrown: unknown): unknown {
  const { err } = (thrown ?? {}) as { err?: unknown };
  return !(thrown instanceof Error) && err instanceof Error ? err : thrown;
}

/** In words for a sentence, without the end of theirs. */
export function wordsOf(reason: unknown): string {
  const { message, code } = (reason ?? {}) as NodeJS.ErrnoException;
  const text = message || code || (typeof reason === 'string' ? reason : shown(reason));
  return text.replace(/\.+$/, '');
}

function shown(reason: unknown): string {
  return inspect(reason, { depth: 1, breakLength: Infinity });
}

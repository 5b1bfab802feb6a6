import { StorageError } from '../model/errors.js';
import { destroy } from './sockets.js';

// Real time, also in tests on a clock that stands still: the network knows no other.

/** A pause, for instance before another attempt. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves with the work, or without it when the time is over. Never rejects. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => undefined), over]);
  clearTimeout(timer);
}

/**
 * What is sent on somebody else's connection, whose settings are not ours. Without an answer in time it rejects with StorageError, and the connection
 * is ended: the answer may still come, and must not be taken for that of the next statement. Null: the connection is known to its library only, which tells answers apart.
 */
export async function answered<T>(client: unknown, deadlineMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new StorageError(`PostgreSQL did not answer within ${deadlineMs} ms.`));
      destroy(client);
    }, deadlineMs);
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
    // Rejects too, as the connection is gone, and nobody listens any more.
    work.catch(() => undefined);
  }
}

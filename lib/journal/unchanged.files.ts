import { statSync } from 'node:fs';
import { StorageError } from '../model/errors.js';

/** A process that writes all the time leaves moments between. */
const mostTries = 50;

/** What `read` gives or throws when none of the files has changed meanwhile: another process may write them. Throws StorageError where they always do. */
export function readUnchanged<T>(paths: readonly [string, ...string[]], read: () => T): T {
  for (let tries = 0; tries < mostTries; tries++) {
    const before = stateOf(paths);
    const outcome = attempt(read);
    if (stateOf(paths) !== before) continue;
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }
  throw new StorageError(
    `${paths[0]} cannot be looked at, as another process writes it all the time. Try again.`,
  );
}

function stateOf(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      return stat === undefined ? 'none' : [stat.dev, stat.ino, stat.size, stat.mtimeNs].join('.');
    })
    .join(' ');
}

function attempt<T>(read: () => T): { value: T } | { error: unknown } {
  try {
    return { value: read() };
  } catch (error) {
    return { error };
  }
}

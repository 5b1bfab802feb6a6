import { readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { StorageInUseError } from '../model/errors.js';

/** As many as the system follows. */
const mostLinks = 40;

/** What a link leads to, also one to a file that is still to be written: the file is replaced there, and has one lock whatever it is called by. */
export function real(path: string): string {
  let at = path;
  for (let links = 0; links < mostLinks; links++) {
    const found = attempt(() => realpathSync(at));
    if (found !== null) return found;
    const target = attempt(() => readlinkSync(at));
    if (target === null) return inRealFolder(at);
    // From where the link is, whichever way has led there.
    at = resolve(dirname(inRealFolder(at)), target);
  }
  return path;
}

/**
 * Throws StorageInUseError where a file has several names (hard links): each of them has a lock, a log and a journal of its own, so that two processes would have it at once. One that is not there, or cannot be looked at, is left to who opens it.
 */
export function assertOneName(path: string, files: readonly string[] = [path]): void {
  for (const file of files) {
    const names = attempt(() => statSync(file))?.nlink ?? 1;
    if (names > 1)
      throw new StorageInUseError(
        path,
        `cannot be had by one process alone: ${file} has ${names} names (hard links), and who uses another of them is not seen from here. Delete the others, or make a copy of it that takes its place; find -samefile finds them.`,
      );
  }
}

function inRealFolder(path: string): string {
  const folder = attempt(() => realpathSync(dirname(path)));
  return folder === null ? path : join(folder, basename(path));
}

/** Null: there is no such thing. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

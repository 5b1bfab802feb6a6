import { realpath } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';

/** What came of looking for a program: where it is, or why it does not run. */
export type Found = { path: string } | { refused: string };

/** Which programs may be run. */
export interface AllowedPrograms {
  /** Where the program is that may be run under this path. A file that is not there is refused, unless `mayBeMissing`. */
  find(file: string, options?: { mayBeMissing?: boolean }): Promise<Found>;
}

/** Any program of the machine. */
const anyProgram = '*';

/** An absolute path whose last part may have `*`; or `*` alone, for any program. */
export function isPattern(text: string): boolean {
  if (text === anyProgram) return true;
  return (
    text.startsWith('/') && normalize(text) === text && !text.endsWith('/') && !dirname(text).includes('*')
  );
}

/**
 * A program is allowed by the file that is reached in the end, and by its name: a link out of a folder is another program, and programs that are many in one (busybox) go by the name that they are called by.
 */
export function allowedPrograms(patterns: readonly string[]): AllowedPrograms {
  return {
    find: async (file, { mayBeMissing = false } = {}) => {
      const path = await realpath(file).catch(() => null);
      const named = path ?? file;
      if (patterns.includes(anyProgram) && (path !== null || mayBeMissing)) return { path: named };
      for (const pattern of patterns) {
        if (await isMeant(pattern, file, path)) return { path: named };
      }
      if (path === null && mayBeMissing && patterns.some((pattern) => isLike(pattern, normalize(file)))) {
        return { path: file };
      }
      const other = path !== null && path !== file ? `, which is ${path},` : '';
      if (path === null && !mayBeMissing)
        return { refused: `${file} is not there, or nobody may look at it.` };
      return { refused: `${file}${other} is none of those that "allow" of the command executor names.` };
    },
  };
}

async function isMeant(pattern: string, file: string, path: string | null): Promise<boolean> {
  if (path === null) return false;
  if (!basename(pattern).includes('*')) {
    const meant = await realpath(pattern).catch(() => null);
    return meant === path && basename(pattern) === basename(file);
  }
  const folder = await realpath(dirname(pattern)).catch(() => null);
  if (folder === null) return false;
  const whole = join(folder, basename(pattern));
  // As it is called, and as what it is.
  const named = join(await realpath(dirname(file)), basename(file));
  return isLike(whole, named) && isLike(whole, path);
}

function isLike(pattern: string, path: string): boolean {
  if (dirname(pattern) !== dirname(path)) return false;
  const parts = basename(pattern)
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(basename(path));
}

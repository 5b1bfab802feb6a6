import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Nobody else on the machine reads what jobs are given, unless the owner of the file has said so. */
export const ownMode = 0o600;

export function modeOf(path: string): number {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  return mode === undefined ? ownMode : mode & 0o777;
}

/** Null: there is no such file. */
export function contentOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Of a file that is to take the place of this one. No two processes have the same. */
export function temporaryName(path: string): string {
  return `${path}.${randomBytes(4).toString('hex')}.tmp`;
}

const temporary = /^\.(?:journal\.)?[0-9a-f]{8}\.tmp$/;

/** Takes away what others have not put in place, of this path and its journal. */
export function removeTemporaries(path: string): void {
  const folder = dirname(path);
  const name = basename(path);
  for (const each of readdirSync(folder)) {
    if (each.startsWith(name) && temporary.test(each.slice(name.length)))
      rmSync(join(folder, each), { force: true });
  }
}

/** Without a word where it cannot be taken away: the next start does it. */
export function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It is in nobody's way.
  }
}

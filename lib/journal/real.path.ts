import { realpathSync } from 'node:fs';

/** What a link leads to: the file is replaced there, and has one lock whatever it is called by. */
export function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

import { readFile, realpath } from 'node:fs/promises';

/** Of Linux; others have no such file. */
const mounts = '/proc/self/mountinfo';

/** The file system, by its folder, on which a file is and from which nothing may be executed; null: it may, or this system does not tell. */
export async function noexecMountOf(file: string): Promise<string | null> {
  try {
    return noexecMountIn(await readFile(mounts, 'utf8'), await realpath(file));
  } catch {
    // Something else is wrong with the file, which is told then.
    return null;
  }
}

/** The same, of what the system says of its mounts. */
export function noexecMountIn(table: string, path: string): string | null {
  let nearest = { folder: '', isNoexec: false };
  for (const line of table.split('\n')) {
    const [, , , , escaped, options] = line.split(' ');
    if (escaped === undefined || options === undefined) continue;
    const folder = escaped.replace(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(parseInt(octal, 8)),
    );
    const isAbove = path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
    // A later one lies over an earlier one of the same folder.
    if (isAbove && folder.length >= nearest.folder.length)
      nearest = { folder, isNoexec: options.split(',').includes('noexec') };
  }
  return nearest.isNoexec ? nearest.folder : null;
}

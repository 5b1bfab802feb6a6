const formats = /\.(json|yaml|yml)$/i;

/**
 * Whether a file of this name has jobs. Editors, rsync and the like keep theirs beside it under names that begin with a dot or are in `#…#`, and those that end in `~`, `.swp`, `.tmp` or `.bak` have another ending.
 */
export function isJobFile(name: string): boolean {
  return formats.test(name) && !name.startsWith('.') && !name.startsWith('#') && !/~\.[a-z]+$/i.test(name);
}

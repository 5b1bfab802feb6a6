/** Wherever it is installed; also where the copy that runs is another one. */
const installed = /[\\/]node_modules[\\/]nestjs-chronis[\\/]/;
const ofNode = /\(node:|at (?:async )?node:/;

let ownFolder: string | null = null;

/** Whether a line of a stack is about the code of this package. */
export function isOwnFrame(line: string): boolean {
  ownFolder ??= folderOf(new Error('here').stack);
  return installed.test(line) || (ownFolder !== null && line.includes(ownFolder));
}

/** Where this copy of the package is: its folder, or the file of a bundle. */
export function ownPlace(): string {
  const { stack } = new Error('here');
  const folder = folderOf(stack);
  if (folder !== null) return folder;
  const [, file] =
    /((?:[A-Za-z]:)?[\\/][^\n()]*?)(?::\d+)*\)?(?:\n|$)/.exec(typeof stack === 'string' ? stack : '') ?? [];
  return file ?? 'an unknown place';
}

export function isFrameOfNode(line: string): boolean {
  return ofNode.test(line);
}

/** Of this file by the stack of an error made here, as modules of both kinds have one; null: it is not in a file of its own, as in a bundle. */
function folderOf(stack: unknown): string | null {
  if (typeof stack !== 'string') return null;
  const [, folder] = /((?:[A-Za-z]:)?[\\/][^\n()]*[\\/])events[\\/]own\.frames\.[cm]?[jt]s/.exec(stack) ?? [];
  return folder ?? null;
}

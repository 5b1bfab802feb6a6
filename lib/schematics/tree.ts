/** What is used of the Tree of @angular-devkit/schematics, which comes with the Nest CLI and not with this package. Paths begin at the application. */
export interface Tree {
  exists(path: string): boolean;
  read(path: string): Buffer | null;
  overwrite(path: string, content: string): void;
  getDir(path: string): { visit(visitor: (path: string) => void): void };
}

/** And of its SchematicContext. */
export interface SchematicContext {
  logger: { info(message: string): void; warn(message: string): void };
  addTask(task: { toConfiguration(): { name: string; options: object } }): unknown;
}

export function textAt(tree: Tree, path: string): string | null {
  return tree.exists(path) ? tree.read(path)!.toString('utf8') : null;
}

/** The TypeScript files of the application below a folder. */
export function sourcesIn(tree: Tree, folder: string): string[] {
  const found: string[] = [];
  tree.getDir(folder).visit((path) => {
    const isSource = /\.[cm]?ts$/.test(path) && !path.includes('node_modules');
    // Some trees begin all paths with a slash.
    if (isSource) found.push(path.replace(/^\//, ''));
  });
  return found;
}

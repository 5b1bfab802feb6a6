import { posix } from 'node:path';
import { namedImports } from './named.imports.js';
import { maskOf } from './source.mask.js';
import { sourcesIn, textAt, type Tree } from './tree.js';

/** The module that an application is made from. */
export interface RootModule {
  path: string;
  /** null: the one that is in the file. */
  className: string | null;
}

const created = /\bNestFactory\s*\.\s*create\w*\s*(?:<[^(]*>\s*)?\(\s*(\w+)/;
/** Files that hand on what others have, one after the other; some name each other in a circle. */
const deepestBarrel = 8;

/** The module that is named, the one that main.ts makes the application from, or app.module.ts. Throws Error where there is none. */
export function rootModuleOf(tree: Tree, sourceRoot: string, named: string | undefined): RootModule {
  if (named !== undefined) {
    const path = posix.normalize(named);
    if (tree.exists(path)) return { path, className: null };
    throw new Error(
      `There is no file ${named}. Name the file of the root module${exampleOf(tree, sourceRoot)}`,
    );
  }
  const main = posix.join(sourceRoot, 'main.ts');
  const text = textAt(tree, main);
  const className = text === null ? undefined : created.exec(maskOf(text))?.[1];
  if (className !== undefined) {
    const found = declared(tree, main, className, 0) ?? importedFirst(tree, main, className);
    if (found !== null) return found;
  }
  const usual = posix.join(sourceRoot, 'app.module.ts');
  if (tree.exists(usual)) return { path: usual, className: null };
  throw new Error(
    `The root module was not found: ${main} says none, and there is no ${usual}. Name its file${exampleOf(tree, sourceRoot)}`,
  );
}

/** How another file with this class is named; '': there is none. */
export function otherFileOf({ path, className }: RootModule, tree: Tree, sourceRoot: string): string {
  if (className === null) return '';
  const pattern = new RegExp(`\\bclass\\s+${className}\\b`);
  const other = moduleFiles(tree, sourceRoot).find(
    (file) => file !== path && pattern.test(maskOf(textAt(tree, file)!)),
  );
  return other === undefined ? '' : `; or name its file: --module ${other}`;
}

/** A file that is there. */
function exampleOf(tree: Tree, sourceRoot: string): string {
  const files = moduleFiles(tree, sourceRoot);
  const usual = posix.join(sourceRoot, 'app.module.ts');
  const example = files.includes(usual) ? usual : files[0];
  return example === undefined ? ' by --module.' : `: --module ${example}`;
}

function moduleFiles(tree: Tree, sourceRoot: string): string[] {
  return sourcesIn(tree, sourceRoot).filter((file) => /@Module\s*\(/.test(maskOf(textAt(tree, file)!)));
}

/** Where the class is that a file knows by this name; null: not where it could be looked for. */
function declared(tree: Tree, path: string, name: string, depth: number): RootModule | null {
  if (depth > deepestBarrel) return null;
  const text = textAt(tree, path)!;
  const mask = maskOf(text);
  if (new RegExp(`\\bclass\\s+${name}\\b`).test(mask)) return { path, className: name };
  if (name === 'default') {
    const own = /\bexport\s+default\s+(?:class\s+)?(\w+)/.exec(mask)?.[1];
    if (own !== undefined) return declared(tree, path, own, depth + 1);
  }
  for (const { exported, local, from } of namedImports(text)) {
    if (local !== name && (local !== '*' || name === 'default')) continue;
    const file = from === null ? path : fileOf(tree, path, from);
    const theirs = local === '*' ? name : exported;
    if (file === null || (file === path && theirs === name)) continue;
    const found = declared(tree, file, theirs, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

/** The file that main.ts has it from: what is wrong with it is told of it. */
function importedFirst(tree: Tree, main: string, name: string): RootModule | null {
  const line = namedImports(textAt(tree, main)!).find(({ local }) => local === name);
  const path = line?.from ? fileOf(tree, main, line.from) : null;
  return path === null ? null : { path, className: line!.exported === 'default' ? null : line!.exported };
}

function fileOf(tree: Tree, by: string, from: string): string | null {
  if (!from.startsWith('.')) return null;
  const base = posix.join(posix.dirname(by), from.replace(/\.[cm]?[jt]s$/, ''));
  return [`${base}.ts`, `${base}/index.ts`].find((path) => tree.exists(path)) ?? null;
}

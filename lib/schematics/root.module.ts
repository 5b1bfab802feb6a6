import { posix } from 'node:path';
import { maskOf } from './source.mask.js';
import { textAt, type Tree } from './tree.js';

/** The module that an application is made from. */
export interface RootModule {
  path: string;
  /** null: the one that is in the file. */
  className: string | null;
}

const created = /\bNestFactory\s*\.\s*create\w*\s*(?:<[^(]*>\s*)?\(\s*(\w+)/;

/** The module that is named, the one that main.ts makes the application from, or app.module.ts. Throws Error where there is none. */
export function rootModuleOf(tree: Tree, sourceRoot: string, named: string | undefined): RootModule {
  if (named !== undefined) {
    const path = posix.normalize(named);
    if (tree.exists(path)) return { path, className: null };
    throw new Error(
      `There is no file ${named}. Name the file of the root module: --module ${sourceRoot}/app.module.ts`,
    );
  }
  const main = posix.join(sourceRoot, 'main.ts');
  const text = textAt(tree, main);
  const className = text === null ? undefined : created.exec(maskOf(text))?.[1];
  if (className !== undefined) {
    const path = importedFrom(tree, main, text!, className);
    if (path !== null) return { path, className };
  }
  const usual = posix.join(sourceRoot, 'app.module.ts');
  if (tree.exists(usual)) return { path: usual, className: null };
  throw new Error(
    `The root module was not found: ${main} says none, and there is no ${usual}. Name its file: --module ${sourceRoot}/shop.module.ts`,
  );
}

function importedFrom(tree: Tree, main: string, text: string, className: string): string | null {
  if (new RegExp(`\\bclass\\s+${className}\\b`).test(maskOf(text))) return main;
  const pattern = new RegExp(`import\\s*\\{[^}]*\\b${className}\\b[^}]*\\}\\s*from\\s*['"](\\.[^'"]+)['"]`);
  const from = pattern.exec(text)?.[1];
  if (from === undefined) return null;
  const base = posix.join(posix.dirname(main), from.replace(/\.[cm]?[jt]s$/, ''));
  return [`${base}.ts`, `${base}/index.ts`].find((path) => tree.exists(path)) ?? null;
}

import { needDependencies } from './needed.packages.js';
import { withImport, withImportLines, type ImportedModule, type ImportLine } from './module.imports.js';
import { namedImports } from './named.imports.js';
import { otherFileOf, rootModuleOf, type RootModule } from './root.module.js';
import { maskOf } from './source.mask.js';
import { sourcesIn, textAt, type SchematicContext, type Tree } from './tree.js';

/** Of `nest add nestjs-chronis`: see schematics/nest-add.schema.json. */
export interface NestAddOptions {
  /** Where the source is; the Nest CLI says it. */
  sourceRoot?: string;
  storage?: 'postgres' | 'sqlite' | 'file' | 'memory';
  /** The file of the root module. */
  module?: string;
  skipInstall?: boolean;
}

interface Setting {
  options: string[];
  lines: ImportLine[];
  packages: string[];
}

const settings: Readonly<Record<NonNullable<NestAddOptions['storage']>, Setting>> = {
  postgres: {
    options: ['storage: typeOrmStorage({ url: process.env.DATABASE_URL! })', 'lock: typeOrmLock()'],
    lines: [{ names: ['typeOrmLock', 'typeOrmStorage'], from: 'nestjs-chronis/typeorm' }],
    packages: ['pg', 'typeorm'],
  },
  sqlite: {
    options: ["storage: sqliteStorage({ path: 'jobs.db' })"],
    lines: [{ names: ['sqliteStorage'], from: 'nestjs-chronis/sqlite' }],
    packages: ['better-sqlite3'],
  },
  file: {
    options: ["storage: fileStorage({ path: 'jobs.yaml' })"],
    lines: [{ names: ['fileStorage'], from: 'nestjs-chronis/file' }],
    packages: [],
  },
  memory: { options: [], lines: [], packages: [] },
};

/** Adds ChronisModule to the root module of an application, as the last of its imports, and what its storage needs to package.json. Twice is once. Throws Error, and changes nothing, where it cannot. */
export function nestAdd(given: NestAddOptions): (tree: Tree, context: SchematicContext) => Tree {
  const { sourceRoot = 'src', storage = 'postgres', skipInstall = false } = given;
  const setting = settings[storage];
  if (setting === undefined)
    throw new Error(`storage: there is no "${storage}". There are: ${Object.keys(settings).join(', ')}.`);
  return (tree, context) => {
    const there = rootedIn(tree, sourceRoot);
    if (there !== undefined) {
      context.logger.info(`${there} has ChronisModule.forRoot() already: nothing was changed.`);
      return tree;
    }
    const root = rootModuleOf(tree, sourceRoot, given.module);
    const added: ImportedModule = { call: 'ChronisModule.forRoot', options: setting.options };
    const lines: ImportLine[] = [{ names: ['ChronisModule'], from: 'nestjs-chronis' }, ...setting.lines];
    tree.overwrite(root.path, changed(tree, sourceRoot, root, added, lines));
    needDependencies(tree, context, setting.packages, skipInstall);
    context.logger.info(hint(root.path, storage));
    return tree;
  };
}

function changed(
  tree: Tree,
  sourceRoot: string,
  root: RootModule,
  added: ImportedModule,
  lines: readonly ImportLine[],
): string {
  const { path, className } = root;
  try {
    return withImportLines(withImport(textAt(tree, path)!, className, added), lines);
  } catch (cause) {
    const call = `${added.call}(${added.options.length === 0 ? '' : `{ ${added.options.join(', ')} }`})`;
    throw new Error(
      `${path} ${(cause as Error).message}, so nothing was changed. Add ${call} by hand, as the last of the imports of the root module${otherFileOf(root, tree, sourceRoot)}`,
      { cause },
    );
  }
}

/** The file that has the scheduler, by whatever name; undefined: none has. */
function rootedIn(tree: Tree, sourceRoot: string): string | undefined {
  return sourcesIn(tree, sourceRoot).find((path) => {
    const text = textAt(tree, path)!;
    const mask = maskOf(text);
    return ['ChronisModule', ...aliasesIn(text)].some((name) =>
      new RegExp(`\\b${name}\\s*\\.\\s*forRoot`).test(mask),
    );
  });
}

function aliasesIn(text: string): string[] {
  return namedImports(text)
    .filter(({ exported, from }) => exported === 'ChronisModule' && from === 'nestjs-chronis')
    .map(({ local }) => local);
}

function hint(path: string, storage: string): string {
  const where = {
    postgres: 'Jobs are kept in PostgreSQL: set DATABASE_URL. The tables are made at the first start.',
    sqlite: 'Jobs are kept in jobs.db, by one process at a time.',
    file: 'Jobs are kept in jobs.yaml, by one process at a time.',
    memory: 'Jobs are kept in memory, and forgotten with the process.',
  }[storage];
  return `ChronisModule.forRoot() was added to ${path}, as the last of its imports: keep it there. ${where} Call app.enableShutdownHooks() in main.ts, so that runs may finish.`;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { textAt, type SchematicContext, type Tree } from './tree.js';

const manifestPath = 'package.json';

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** Puts what is missing of these optional packages into package.json, and has them installed. */
export function needDependencies(
  tree: Tree,
  context: SchematicContext,
  packages: readonly string[],
  skipInstall: boolean,
): void {
  const text = textAt(tree, manifestPath);
  if (text === null) return;
  const manifest = JSON.parse(text) as Manifest;
  const missing = packages.filter(
    (name) => !manifest.dependencies?.[name] && !manifest.devDependencies?.[name] && isNeeded(name),
  );
  if (missing.length === 0) return;
  const ranges = ownRanges();
  const dependencies = { ...manifest.dependencies };
  for (const name of missing) dependencies[name] = ranges[name]!;
  const sorted = Object.fromEntries(
    Object.entries(dependencies).sort(([one], [other]) => (one < other ? -1 : 1)),
  );
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? '  ';
  tree.overwrite(manifestPath, `${JSON.stringify({ ...manifest, dependencies: sorted }, null, indent)}\n`);
  if (skipInstall) return context.logger.warn(`To be installed: ${missing.join(', ')}.`);
  const options = { command: 'install', quiet: true, packageManager: managerOf(tree) };
  context.addTask({ toConfiguration: () => ({ name: 'node-package', options }) });
}

/** Node has a module for SQLite from 22.13 on. */
function isNeeded(name: string): boolean {
  if (name !== 'better-sqlite3') return true;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major < 22 || (major === 22 && minor < 13);
}

function ownRanges(): Record<string, string> {
  const text = readFileSync(join(__dirname, '../../package.json'), 'utf8');
  return (JSON.parse(text) as Manifest).peerDependencies ?? {};
}

function managerOf(tree: Tree): string {
  if (tree.exists('pnpm-lock.yaml')) return 'pnpm';
  return tree.exists('yarn.lock') ? 'yarn' : 'npm';
}

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const place = resolve(root, 'out/node-22');

/** A Node that has `node:sqlite`: this one, or that of the npm package, which is installed once. */
export function nodeWithSqlite(): string {
  const known = [process.execPath, ...['bench', place].map((folder) => inFolder(resolve(root, folder)))];
  const found = known.find(hasSqlite);
  if (found !== undefined) return found;
  const name = `node-${process.platform}-${process.arch}@22`;
  const options = ['install', '--prefix', place, '--no-save', '--no-audit', '--no-fund', name];
  const { status, stderr } = spawnSync('npm', options, { encoding: 'utf8', cwd: root });
  if (status !== 0) throw new Error(`npm cannot install ${name}:\n${stderr}`);
  return inFolder(place);
}

function inFolder(folder: string): string {
  const names = [`node-${process.platform}-${process.arch}`, 'node'];
  const paths = names.map((name) => resolve(folder, 'node_modules', name, 'bin/node'));
  return paths.find((path) => existsSync(path)) ?? paths[0];
}

function hasSqlite(node: string): boolean {
  const asking = ['--no-warnings', '--input-type=commonjs', '-e', `require('node:sqlite')`];
  return existsSync(node) && spawnSync(node, asking).status === 0;
}

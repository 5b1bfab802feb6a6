import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
let folder: string | null = null;

/** Compiles lib and test once, for tests that start processes of their own; returns the folder of the JavaScript. */
export function compiledTests(): string {
  if (folder !== null) return folder;
  const out = join(root, 'out/test');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const result = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.test.json', '--outDir', out], {
    cwd: root,
    encoding: 'utf8',
  });
  if (result.status !== 0) throw new Error(`The tests do not compile:\n${result.stdout}`);
  return (folder = out);
}

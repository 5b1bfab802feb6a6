import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const folder = join(root, 'out/test');
const longestCompilationMs = 120_000;

/**
 * Compiles lib and test once in a run of the tests, for those that start processes of their own; returns the folder of the JavaScript. Whoever
 * comes meanwhile waits: started from files that are just being written, their processes would break.
 */
export function compiledTests(): string {
  // Of this run: the global setup names it.
  const done = join(root, `out/test.${process.env.CHRONIS_TEST_RUN ?? process.pid}.done`);
  const lock = join(root, 'out/test.lock');
  mkdirSync(folder, { recursive: true });
  while (!existsSync(done)) {
    if (!taken(lock)) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      continue;
    }
    try {
      if (!existsSync(done)) compile();
      writeFileSync(done, '');
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
  return folder;
}

function compile(): void {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  // As `npm run tests:build`. Types are looked at by `npm run check:static`.
  const options = ['-p', 'tsconfig.test.json', '--noCheck', '--outDir', folder];
  const result = spawnSync(process.execPath, [tsc, ...options], { cwd: root, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`The tests do not compile:\n${result.stdout}`);
  const finish = [join(root, 'build/finish.mjs'), join(folder, 'lib')];
  const finished = spawnSync(process.execPath, finish, { cwd: root, encoding: 'utf8' });
  if (finished.status !== 0) throw new Error(`The tests cannot be finished:\n${finished.stderr}`);
}

/** Takes the lock; one that a killed run has left behind is removed. */
function taken(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > longestCompilationMs) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

/** What a process prints that runs this, as CommonJS. Throws Error where it complains. */
export function printedIn(cwd: string, code: string): string {
  const args = ['--input-type=commonjs', '-e', code];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', cwd, timeout: 60_000 });
  if (child.stderr !== '') throw new Error(child.stderr);
  return child.stdout.trim();
}

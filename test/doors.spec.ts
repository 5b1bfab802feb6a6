import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { compiledTests } from './support/compiled.js';

let folder: string;

beforeAll(() => {
  folder = compiledTests();
}, 120_000);

/** The packages that our own files import when a process imports this door. */
function packagesOf(door: string): string[] {
  const url = (path: string): string => JSON.stringify(pathToFileURL(join(folder, path)).href);
  const script = `import { register } from 'node:module';
    register(${url('test/support/noted.imports.js')});
    await import(${url(door)});`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(child.stderr).toBe('');
  const names = child.stdout.trim().split('\n');
  return [...new Set(names.map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)![0]))].toSorted();
}

const nest = ['@nestjs/common', '@nestjs/core', 'reflect-metadata'];

test('who imports the package loads Nest, and neither a database driver nor a library for time', () => {
  expect(packagesOf('lib/index.js')).toEqual(nest);
});

test.each([
  ['typeorm', ['typeorm']],
  ['schedule', ['luxon']],
  ['testing', []],
])('the door %s loads what it is for', (door, packages) => {
  const found = packagesOf(`lib/${door}/index.js`).filter((name) => !nest.includes(name));
  expect(found).toEqual(packages);
});

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { compiledTests } from './support/compiled.js';

let folder: string;

beforeAll(() => {
  folder = compiledTests();
}, 120_000);

/** The packages that our own files ask for when a process loads this door. */
function packagesOf(door: string): string[] {
  const file = JSON.stringify(join(folder, door));
  const child = spawnSync(process.execPath, ['--input-type=commonjs', '-e', noting(file)], {
    encoding: 'utf8',
  });
  expect(child.stderr).toBe('');
  const names = child.stdout.split('\n').filter((name) => name !== '');
  return [...new Set(names.map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)![0]))].toSorted();
}

function noting(file: string): string {
  return `const Module = require('node:module');
    const load = Module._load;
    Module._load = (name, parent, ...others) => {
      const isOurs = parent?.filename?.startsWith(${JSON.stringify(join(folder, 'lib'))});
      if (isOurs && !/^[./]|^node:/.test(name)) console.log(name);
      return load(name, parent, ...others);
    };
    require(${file});`;
}

const nest = ['@nestjs/common', '@nestjs/core', 'reflect-metadata'];

test('who imports the package loads Nest, and neither a database driver nor a library for time', () => {
  expect(packagesOf('lib/index.js')).toEqual(nest);
});

test.each([
  ['typeorm', ['typeorm']],
  ['schedule', ['luxon']],
  ['sqlite', []],
  ['job-files', []],
  ['file', []],
  ['testing', []],
  ['executors', []],
  ['metrics', []],
  ['health', []],
  ['alerts', []],
  ['tracing', []],
  ['http', []],
])('the door %s loads what it is for', (door, packages) => {
  const found = packagesOf(`lib/${door}/index.js`).filter((name) => !nest.includes(name));
  expect(found).toEqual(packages);
});

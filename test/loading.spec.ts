import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { packageVersion } from '../lib/package.version.js';
import { compiledTests } from './support/compiled.js';

const doors = [
  '',
  'typeorm/',
  'sqlite/',
  'file/',
  'schedule/',
  'job-files/',
  'testing/',
  'executors/',
  'metrics/',
  'alerts/',
  'tracing/',
  'health/',
  'http/',
];
let folder: string;

beforeAll(() => {
  folder = join(compiledTests(), 'lib');
}, 120_000);

/** What a process prints that runs this module. */
function printed(module: string): string {
  const args = ['--input-type=module', '-e', module];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: folder });
  expect(child.stderr).toBe('');
  return child.stdout.trim();
}

describe('a process that loads the package by import and by require', () => {
  test.each(doors)('has one of everything behind the door /%s', (door) => {
    const url = (name: string) => JSON.stringify(pathToFileURL(join(folder, door, name)).href);
    const [required, differing] = JSON.parse(
      printed(`import { createRequire } from 'node:module';
        const imported = await import(${url('index.mjs')});
        const required = createRequire(import.meta.url)(${JSON.stringify(join(folder, door, 'index.js'))});
        const names = new Set([...Object.keys(imported), ...Object.keys(required)]);
        names.delete('module.exports'); // What newer releases of Node add.
        const differing = [...names].filter((name) => imported[name] !== required[name]);
        console.log(JSON.stringify([Object.keys(required).length, differing]));`),
    ) as [number, string[]];
    expect(differing).toEqual([]);
    expect(required).toBeGreaterThan(0);
  });
});

test('the package tells the version that its package.json has', () => {
  expect(packageVersion).toBe(manifest.version);
});

test.each(doors)('TypeScript 4, which Nest 10 comes with, can read what is behind the door /%s', (door) => {
  const index = new URL(`../lib/${door}index.ts`, import.meta.url);
  const files = [...readFileSync(index, 'utf8').matchAll(/from '(\.[^']+)\.js'/g)].map(([, name]) => name);
  expect(files.length).toBeGreaterThan(0);
  const tooNew = files.filter((name) => /<const \w/.test(readFileSync(new URL(`${name}.ts`, index), 'utf8')));
  expect(tooNew).toEqual([]);
});

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { compiledTests } from '../support/compiled.js';

/** For root nothing is unreadable. */
const nobody = process.getuid!() === 0 ? { uid: 65_534, gid: 65_534 } : {};
let folder: string;
let script: string;

beforeAll(() => {
  script = join(compiledTests(), 'test/job-files/unreadable.process.js');
}, 240_000);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unreadable-'));
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true }));

function look(): unknown {
  const output = execFileSync(process.execPath, [script, folder, '2'], {
    ...nobody,
    encoding: 'utf8',
    cwd: '/',
  });
  return JSON.parse(output);
}

function write(name: string, mode: number): void {
  const path = join(folder, name);
  writeFileSync(path, '{}');
  utimesSync(path, 0, 0);
  chmodSync(path, mode);
}

test('a file without the permission to read it is told as that, and the others are read', () => {
  write('a.json', 0o200);
  write('b.json', 0o644);
  expect(look()).toEqual({
    problem: null,
    files: [
      ['a.json', expect.stringMatching(/^It cannot be read: EACCES: permission denied/) as string],
      ['b.json', 'read'],
    ],
  });
});

test('a folder without the permission to read it is a problem, and not one without files', () => {
  write('a.json', 0o644);
  mkdirSync(join(folder, 'within'));
  chmodSync(folder, 0o311);
  try {
    expect(look()).toEqual({
      problem: expect.stringContaining('cannot be read: EACCES: permission denied') as string,
      files: [],
    });
  } finally {
    chmodSync(folder, 0o755);
  }
});

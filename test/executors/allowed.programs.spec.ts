import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { allowedPrograms, isPattern } from '../../lib/executors/allowed.programs.js';

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'chronis-allowed-')));
  for (const folder of ['jobs', 'jobs/inner', 'bin', 'releases', 'releases/7']) mkdirSync(join(root, folder));
  for (const file of ['jobs/a.sh', 'jobs/inner/b.sh', 'bin/busybox', 'bin/tool', 'releases/7/run'])
    writeFileSync(join(root, file), '#!/bin/sh\n', { mode: 0o755 });
  const links: [string, string][] = [
    ['bin/busybox', 'bin/ls'],
    ['bin/busybox', 'bin/sh'],
    ['bin/tool', 'jobs/tool'],
    ['releases/7', 'current'],
  ];
  for (const [to, from] of links) symlinkSync(join(root, to), join(root, from));
});
afterEach(() => rmSync(root, { recursive: true }));

async function find(allow: string[], file: string, mayBeMissing = false): Promise<string> {
  const programs = allowedPrograms(allow.map((path) => join(root, path)));
  const found = await programs.find(join(root, file), { mayBeMissing });
  return 'path' in found ? found.path.slice(root.length + 1) : found.refused.replaceAll(`${root}/`, '');
}

describe('a program', () => {
  test.each<[string, string[], string, string]>([
    ['by its path', ['bin/tool'], 'bin/tool', 'bin/tool'],
    ['by its folder', ['jobs/*'], 'jobs/a.sh', 'jobs/a.sh'],
    ['by its folder and its end', ['jobs/*.sh'], 'jobs/a.sh', 'jobs/a.sh'],
    ['by a link that is named', ['bin/ls'], 'bin/ls', 'bin/busybox'],
    ['in a folder that is a link', ['current/*'], 'current/run', 'releases/7/run'],
    ['by a link within its folder', ['bin/*'], 'bin/ls', 'bin/busybox'],
    ['in that folder by its own name', ['current/*'], 'releases/7/run', 'releases/7/run'],
    ['by another way to the same file', ['jobs/*'], 'jobs/inner/../a.sh', 'jobs/a.sh'],
  ])('is found %s', async (_, allow, file, path) => {
    expect(await find(allow, file)).toBe(path);
  });

  test.each<[string, string[], string]>([
    ['that is not named', ['bin/tool'], 'jobs/a.sh'],
    ['deeper in a folder', ['jobs/*'], 'jobs/inner/b.sh'],
    ['that is a link out of the folder', ['jobs/*'], 'jobs/tool'],
    ['that is the same file under another name', ['bin/ls'], 'bin/sh'],
    ['that is reached by leaving the folder', ['jobs/*'], 'jobs/../bin/tool'],
    ['by a link to what has another end', ['bin/l*'], 'bin/ls'],
    ['with another end', ['jobs/*.py'], 'jobs/a.sh'],
    ['that ends beside a name', ['jobs/a'], 'jobs/a.sh'],
  ])('is refused %s', async (_, allow, file) => {
    expect(await find(allow, file)).toMatch(/is none of those that "allow" of the command executor names\.$/);
  });

  test('that is not there is refused, or waited for where it may come', async () => {
    expect(await find(['jobs/*'], 'jobs/new.sh')).toBe('jobs/new.sh is not there, or nobody may look at it.');
    expect(await find(['jobs/*'], 'jobs/new.sh', true)).toBe('jobs/new.sh');
    expect(await find(['jobs/*'], 'bin/new', true)).toContain('is none of those');
    expect(await find(['jobs/*'], 'jobs/../bin/new', true)).toContain('is none of those');
  });
});

test('any program is allowed by "*" alone, and one that is not there is refused', async () => {
  const programs = allowedPrograms(['*']);
  expect(await programs.find(join(root, 'bin/ls'))).toEqual({ path: join(root, 'bin/busybox') });
  expect(await programs.find(join(root, 'bin/new'))).toEqual({
    refused: expect.stringContaining('is not there'),
  });
  expect(await programs.find(join(root, 'bin/new'), { mayBeMissing: true })).toEqual({
    path: join(root, 'bin/new'),
  });
});

test.each([
  ['/usr/bin/x', true],
  ['/opt/jobs/*', true],
  ['/opt/*/x', false],
  ['opt/x', false],
  ['/opt/jobs/', false],
  ['/opt/../x', false],
  ['*', true],
  ['**', false],
  ['*.sh', false],
])('%s may be said in "allow": %s', (text, is) => {
  expect(isPattern(text)).toBe(is);
});

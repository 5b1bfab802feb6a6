import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { objections } from '../build/release.mjs';
import manifest from '../package.json' with { type: 'json' };
import lock from '../package-lock.json' with { type: 'json' };

const changelog = '# Changelog\n\n## 0.1.0 (2026-12-01)\n';
const ready = {
  version: '0.1.0',
  repository: { url: 'git+https://code.example/nestjs-chronis.git' },
  homepage: 'https://code.example/nestjs-chronis',
  bugs: { url: 'https://code.example/nestjs-chronis/issues' },
};

test('a package that knows where it is at home, with its changes told, may be published', () => {
  expect(objections(ready, changelog)).toEqual([]);
});

test.each([
  ['repository', { ...ready, repository: manifest.repository }],
  ['homepage', { ...ready, homepage: manifest.homepage }],
  ['bugs', { ...ready, bugs: undefined }],
])('a package whose %s is a placeholder or missing is not published', (field, given) => {
  expect(objections(given, changelog)).toEqual([expect.stringContaining(`${field} is a placeholder`)]);
});

test('a package whose changes are not told under its version is not published', () => {
  const unreleased = changelog.replace('(2026-12-01)', '(unreleased)');
  expect(objections(ready, unreleased)).toEqual([expect.stringContaining('"## 0.1.0 (unreleased)"')]);
});

test('npm asks before it publishes', () => {
  expect(manifest.scripts.prepublishOnly).toContain('node build/release.mjs');
});

test('the folders for tools that do not read "exports" name the files that "exports" names', () => {
  const doors = Object.entries(manifest.exports).filter(([door]) => door !== '.' && !door.endsWith('.json'));
  expect(doors.length).toBeGreaterThan(2);
  for (const [door, place] of doors) {
    const stub = JSON.parse(readFileSync(join(door, 'package.json'), 'utf8')) as {
      main: string;
      types: string;
    };
    const { require } = place as { require: { types: string; default: string } };
    expect([join(door, stub.main), join(door, stub.types)]).toEqual([
      join(require.default),
      join(require.types),
    ]);
    expect(manifest.files).toContain(door.slice(2));
  }
});

test('the lock file has the dependencies of the package', () => {
  expect(lock.packages[''].dependencies).toEqual(manifest.dependencies);
});

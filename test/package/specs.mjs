// The same spec in a project with vitest and in one with jest.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const spec = 'watering.spec.ts';
const read = (path) => readFileSync(join(root, path), 'utf8');

/** Needs no configuration of its own: vitest takes the decorator options from a tsconfig.json that includes the specs. */
export function inVitest(dir) {
  write(dir, (text) => text);
  const { vitest, vite } = JSON.parse(read('package.json')).devDependencies;
  return { needs: [`vitest@${vitest}`, `vite@${vite}`], command: ['vitest', 'run', spec] };
}

/** By the recipe of the guide, to the letter. */
export function inJest(dir) {
  write(dir, (text) =>
    text.replace("'vitest'", "'@jest/globals'").replace("'./watering.js'", "'./watering'"),
  );
  const guide = read('docs/guides/testing.md');
  const [, config] = /```js\n(\/\/ jest\.config\.cjs\n[^`]*)```/.exec(guide);
  writeFileSync(join(dir, 'jest.config.cjs'), config);
  const [, needs] = /^npm install --save-dev (.*jest.*)$/m.exec(guide);
  return { needs: needs.split(' '), command: ['jest', '--ci', spec] };
}

function write(dir, adapt) {
  writeFileSync(join(dir, 'watering.ts'), read('test/package/watering.ts'));
  writeFileSync(join(dir, spec), adapt(read('test/package/watering.tests.ts')));
}

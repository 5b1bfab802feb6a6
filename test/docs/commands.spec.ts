import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { allPages, root, textOf } from './pages.js';

const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  scripts: Record<string, string>;
};
/** What follows `npm run` anywhere in the pages, with what follows that in the same line. */
const commands = allPages.flatMap((page) =>
  [...textOf(page).matchAll(/\bnpm (?:run (?:--silent )?([\w:]+)|(test)\b)([^`\n]*)/g)].map(
    ([text, run, test, rest]) => ({ page, text: text.trim(), script: run ?? test!, rest: rest! }),
  ),
);

test('every npm script that the pages name is one of the package', () => {
  expect(commands.length).toBeGreaterThan(20);
  const unknown = commands.filter(({ script }) => !(script in scripts));
  expect(unknown.map(({ page, text }) => `${page}: ${text}`)).toEqual([]);
});

test('every sample and every suite that the pages start is there', () => {
  const named = commands.flatMap(({ page, script, rest }) => {
    const name = /^ -- ([a-z0-9]+[\w-]*)/.exec(rest)?.[1];
    if (name === undefined) return [];
    if (script === 'sample') return [{ page, path: `sample/${name}/main.ts` }];
    return script === 'bench' ? [{ page, path: `bench/suites/${name}.mjs` }] : [];
  });
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter(({ path }) => !existsSync(root + path))).toEqual([]);
});

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { databaseUrl } from '../support/schema.js';
import { pages, root, snippetsOf } from './pages.js';

const out = `${root}out/recipes`;
const recipes = pages.flatMap((page) =>
  snippetsOf(page)
    .map((snippet, nth) => ({ ...snippet, nth }))
    .filter(({ code, name }) => name !== null || / from '(vitest|nestjs-chronis\/testing)';/.test(code)),
);
type Recipe = (typeof recipes)[number];
const isTest = ({ code }: Recipe): boolean => / from 'vitest';/.test(code);
const fileOf = (recipe: Recipe): string =>
  `${out}/${recipe.page.replace(/\.md$/, '')}/${recipe.name ?? `snippet-${recipe.nth}${isTest(recipe) ? '.spec' : ''}.ts`}`;

// As a reader has it: the files of a page in a folder, and a runner of their own, which loads Nest once.
beforeAll(() => {
  rmSync(out, { recursive: true, force: true });
  for (const recipe of recipes) {
    mkdirSync(dirname(fileOf(recipe)), { recursive: true });
    writeFileSync(fileOf(recipe), recipe.code);
  }
  writeFileSync(`${out}/tsconfig.json`, '{ "extends": "../../tsconfig.json", "include": ["."] }');
  const alias = [
    ['/^nestjs-chronis$/', `${root}lib/index.ts`],
    ['/^nestjs-chronis\\/(\\w+)$/', `${root}lib/$1/index.ts`],
  ].map(([find, replacement]) => `{ find: ${find}, replacement: ${JSON.stringify(replacement)} }`);
  writeFileSync(
    `${out}/vitest.config.mjs`,
    `export default { root: import.meta.dirname, resolve: { alias: [${alias.join(', ')}] }, test: { setupFiles: ['reflect-metadata'], isolate: false, maxWorkers: 1 } };`,
  );
});

test('every test of the guides passes as it is written there', { timeout: 240_000 }, () => {
  const tests = recipes.filter(isTest);
  expect(tests.length).toBeGreaterThan(4);
  const args = [`${root}node_modules/vitest/vitest.mjs`, 'run', '--reporter=json'];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: out,
    encoding: 'utf8',
    maxBuffer: 1e8,
    env: { ...process.env, DATABASE_URL: databaseUrl() },
  });
  const { testResults } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
    testResults: { name: string; message: string; assertionResults: { failureMessages: string[] }[] }[];
  };
  const failures = testResults.flatMap(({ message, assertionResults }) => [
    message,
    ...assertionResults.flatMap(({ failureMessages }) => failureMessages),
  ]);
  expect(failures.filter(Boolean), stderr).toEqual([]);
  const ran = testResults.filter(({ assertionResults }) => assertionResults.length > 0);
  expect(ran.map(({ name }) => name).toSorted()).toEqual(tests.map(fileOf).toSorted());
});

const scripts = recipes
  .filter((recipe) => recipe.page === 'docs/guides/testing.md' && recipe.name === null && !isTest(recipe))
  .map((recipe) => [fileOf(recipe).slice(out.length + 1), recipe] as const);

test.each(scripts)('%s runs', async (_, recipe) => {
  process.env.DATABASE_URL = databaseUrl();
  try {
    await import(fileOf(recipe));
  } finally {
    delete process.env.DATABASE_URL;
  }
});

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test, vi } from 'vitest';
import { importsOf, problemsOf } from './compiler.js';
import { pages, root, snippetsOf, type Snippet } from './pages.js';

const folder = `${root}out/snippets`;
const excerptMark = '// excerpt of ';
const snippets = pages.flatMap(snippetsOf);
const excerpts = snippets.filter(({ code }) => code.startsWith(excerptMark));
const compiled = snippets.filter((snippet) => !excerpts.includes(snippet));
const fileOf = (snippet: Snippet): string => {
  const inPage = compiled.filter(({ page }) => page === snippet.page);
  const name = snippet.name ?? `snippet-${inPage.indexOf(snippet) + 1}.ts`;
  return `${folder}/${snippet.page.replace(/\.md$/, '')}/${name}`;
};

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  const surroundings = importsOf('test/docs/surroundings.ts');
  for (const snippet of compiled) {
    const file = fileOf(snippet);
    mkdirSync(file.slice(0, file.lastIndexOf('/')), { recursive: true });
    writeFileSync(file, isWhole(snippet) ? snippet.code : completed(snippet.code, surroundings));
  }
}, 60_000);

test('every snippet compiles', { timeout: 120_000 }, () => {
  expect(compiled.length).toBeGreaterThan(50);
  expect(problemsOf(compiled.map(fileOf))).toEqual([]);
});

const running = snippets
  .filter(({ runs }) => runs)
  .map((snippet) => [fileOf(snippet).slice(folder.length + 1), snippet] as const);

test.each(running)('%s runs, and prints what it says', async (file, { code }) => {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
    printed.push(values.map(String).join(' '));
  });
  try {
    await import(`${folder}/${file}`);
  } finally {
    log.mockRestore();
  }
  const promised = promisedBy(code);
  expect(promised.length).toBeGreaterThan(0);
  expect(printed).toEqual(promised);
});

test('what is called an excerpt of a file is in that file', () => {
  expect(excerpts.length).toBeGreaterThan(0);
  for (const { code } of excerpts) {
    const [first, ...lines] = code.split('\n');
    const path = first!.slice(excerptMark.length);
    expect(readFileSync(root + path, 'utf8').includes(lines.join('\n')), path).toBe(true);
  }
});

function isWhole({ name, code }: Snippet): boolean {
  return name !== null || /^import /m.test(code);
}

/** A part of a program as a file: methods in a class, statements in a function, with the names that they use imported. */
function completed(code: string, known: ReadonlyMap<string, string>): string {
  const words = new Set(code.match(/\w+/g));
  const own = new Set(Array.from(code.matchAll(/\b(?:const|class) (\w+)/g), (match) => match[1]!));
  const methods = /^(@|async \w+\()/.test(code);
  const used = [...words].filter((name) => !own.has(name)).flatMap((name) => known.get(name) ?? []);
  const names = methods ? [...used, 'Surroundings'] : used;
  return [
    `import { ${names.join(', ')} } from '${root}test/docs/surroundings.js';`,
    methods
      ? `export abstract class Fragment extends Surroundings {\n${code}}`
      : `export async function fragment() {\n${code}}`,
  ].join('\n');
}

/** What a snippet says that it prints: behind each call, or at its end where the call is in a loop. */
function promisedBy(code: string): string[] {
  const lines = code.trimEnd().split('\n');
  const behind = lines.flatMap((line) => /^console\.log\(.*\); \/\/ (.*)$/.exec(line)?.[1] ?? []);
  const last = lines.findLastIndex((line) => !line.startsWith('// '));
  return [...behind, ...lines.slice(last + 1).map((line) => line.slice('// '.length))];
}

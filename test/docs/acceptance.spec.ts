import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { root, textOf } from './pages.js';

interface Shown {
  number: number;
  commands: string[];
  tests: { file: string; title: string }[];
}

const sections = textOf('test/ACCEPTANCE.md')
  .split(/^## (?=\d)/m)
  .slice(1)
  .map((text): Shown => {
    const commands = [...text.matchAll(/^```bash\n([^]*?)^```$/gm)].map(([, command]) => command!);
    const tests = [...text.matchAll(/^- `([^`]+)`: (.+)$/gm)].map(([, file, title]) => ({
      file: file!,
      title: title!,
    }));
    return { number: Number.parseInt(text, 10), commands, tests };
  });

test('the list of what operating has to withstand has each number, in order', () => {
  const numbers = Array.from({ length: 29 }, (_, nth) => nth + 1);
  expect(sections.map(({ number }) => number)).toEqual([...numbers, 33, 34]);
});

test.each(
  sections.flatMap(({ number, tests }) => tests.map((each) => [number, each.file, each.title] as const)),
)('%i: %s has the test "%s"', (_, file, title) => {
  expect(existsSync(root + file)).toBe(true);
  const text = readFileSync(root + file, 'utf8').replaceAll(/\(\n +/g, '(');
  // As a whole argument, in the quotation marks of the language.
  const quoted = ["'", '"', '`'].map((mark) => `(${mark}${title}${mark},`);
  expect(quoted.some((each) => text.includes(each))).toBe(true);
});

test.each(sections.map(({ number, tests, commands }) => [number, tests, commands] as const))(
  '%i: the commands run the files of its tests, and no others',
  (_, tests, commands) => {
    const files = commands.flatMap((command) => command.match(/test\/[\w./-]+\.spec\.ts/g) ?? []);
    expect(new Set(files)).toEqual(new Set(tests.map(({ file }) => file)));
  },
);

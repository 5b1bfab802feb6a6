import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const codesIn = (text: string): string[] => [...new Set(text.match(/CHRONIS_[A-Z_]+/g))].toSorted();

/** The source of all errors. */
const source = readdirSync(new URL('lib/model/', root))
  .filter((file) => /\.errors?\.ts$/.test(file))
  .map((file) => read(`lib/model/${file}`))
  .join('\n');

test('the reference lists exactly the codes that the code throws', () => {
  expect(codesIn(read('docs/reference/errors.md'))).toEqual(codesIn(source));
});

test('each row of the reference names the class that has the code', () => {
  const rows = [...read('docs/reference/errors.md').matchAll(/^\| `(CHRONIS_\w+)` \| `(\w+)`/gm)];
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.map(([, code]) => code)).toEqual([...new Set(rows.map(([, code]) => code))]);
  for (const [, code, name] of rows) {
    const body = source.split(`export class ${name} `)[1]?.split('\nexport ')[0];
    expect(body, `${name} has ${code}`).toContain(code);
  }
});

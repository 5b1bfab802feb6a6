import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { root, textOf } from './pages.js';

/** Lists of what is shown by which test: the last two columns of their tables. */
const lists = ['test/workflows/TRAPS.md'];

test.each(lists)('each test that %s names is there', (list) => {
  const rows = textOf(list)
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (what|-{3,}) /.test(line))
    .map((line) => line.split(' | '));
  expect(rows.length).toBeGreaterThan(20);
  const missing = rows.flatMap((cells) => {
    const [file, name] = cells.slice(-2).map((cell) => cell.replace(/ \|$/, '').trim());
    return existsSync(root + file!) && textOf(file!).includes(name!) ? [] : [`${file}: ${name}`];
  });
  expect(missing).toEqual([]);
});

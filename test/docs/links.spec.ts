import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { allPages, pages, root, textOf } from './pages.js';

const prose = (page: string): string => textOf(page).replace(/^```[\s\S]*?^```$/gm, '');
const relative = (page: string): string[] =>
  [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1]!)
    .filter((link) => !/^\w+:/.test(link));

/** What a link may name after the `#`: headings as GitHub writes them. */
function anchorsOf(page: string): string[] {
  const headings = [...prose(page).matchAll(/^#{1,6} (.+)$/gm)].map((match) => match[1]!);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test.each(allPages)('every relative link of %s leads somewhere', (page) => {
  for (const link of relative(page)) {
    const [path, anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path!);
    expect(existsSync(root + target), `${page} links to ${link}`).toBe(true);
    if (anchor === undefined) continue;
    expect(anchorsOf(target), `${page} links to ${link}`).toContain(anchor);
  }
});

test('the README and the index link every guide and every reference, and the README names every sample', () => {
  for (const index of ['README.md', 'docs/README.md']) {
    const targets = new Set(relative(index).map((link) => join(dirname(index), link)));
    const documents = pages.filter((page) => !page.endsWith('README.md'));
    expect(documents.length).toBeGreaterThan(20);
    expect(
      documents.filter((page) => !targets.has(page)),
      index,
    ).toEqual([]);
  }
  const samples = readdirSync(`${root}sample`).filter((name) => /^\d\d-/.test(name));
  const linked = new Set(relative('README.md').map((link) => link.replace(/\/$/, '')));
  expect(samples.length).toBeGreaterThan(5);
  expect(samples.filter((name) => !linked.has(`sample/${name}`))).toEqual([]);
});

// What was tried of a tarball, by however many runs, as the tables of the guide. node test/package/table.mjs [--write]: of the last one; --write puts them into the guide.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { missing } from './types.mjs';

const root = join(import.meta.dirname, '../..');
const file = join(root, 'out/package.results.jsonl');
const guide = join(root, 'docs/guides/bundlers.md');

/** A result, or the versions that were installed. */
export function note(tarball, told) {
  appendFileSync(file, `${JSON.stringify({ tarball, node: process.versions.node, ...told })}\n`);
}

/** Everything that is noted of this tarball; of what was tried more than once, the last. */
export function tables(tarball) {
  const told = noted().filter((entry) => entry.tarball === tarball);
  const results = told.filter(({ place }) => place !== undefined);
  const ofTypes = results.filter(({ place }) => place.includes('TypeScript'));
  const ofApplications = results.filter((result) => !ofTypes.includes(result));
  const parts = [ofApplications, ofTypes].filter((part) => part.length > 0).map(tableOf);
  return [...parts, `Versions: ${versionsOf(told)}.`].join('\n\n');
}

function noted() {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}

function tableOf(results) {
  const columns = [...new Set(results.map(({ step }) => step))];
  const places = [...new Set(results.map(({ place }) => place))].toSorted((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  const reasons = [];
  const cell = (place, column) => {
    const found = results.findLast((result) => result.place === place && result.step === column);
    const reason = impossible(place, column);
    if (reason === null) return found === undefined ? '–' : found.works ? '✓' : '✗';
    if (!reasons.includes(reason)) reasons.push(reason);
    return `(${reasons.indexOf(reason) + 1})`;
  };
  const rows = places.map((place) => [place, ...columns.map((column) => cell(place, column))]);
  const table = [['', ...columns], ['---', ...columns.map(() => ':-:')], ...rows].map(
    (row) => `| ${row.join(' | ')} |`,
  );
  return [table.join('\n'), reasons.map((reason, index) => `${index + 1}. ${reason}`).join('\n')]
    .join('\n\n')
    .trim();
}

/** Why there is no such cell; null: it was not tried. */
function impossible(place, column) {
  const isNx = (name) => name.includes('Nx');
  if (isNx(place) !== isNx(column))
    return 'Nx builds by its own webpack or esbuild, so both were tried once, with npm.';
  const [, release] = place.match(/Nest (\d+)/);
  const compiler = place.match(/TypeScript ([\d.]+)/);
  if (compiler !== null) return missing(Number(compiler[1]), column, Number(release));
  if (place.endsWith('ES modules') && column === 'ts-jest') {
    if (release === '10')
      return 'ts-jest translates ES modules with TypeScript 5.3 and later; Nest 10 is tried with 4.9.';
    if (release === '12')
      return 'Jest runs ES modules, but before Node 24.9 it does not let CommonJS load Nest 12, which is ES modules.';
  }
  return null;
}

function versionsOf(told) {
  const all = new Map([['Node', new Set(told.map(({ node }) => node))]]);
  for (const [key, version] of told.flatMap(({ versions }) => Object.entries(versions ?? {}))) {
    const name = key.replace(/^typescript-.*/, 'typescript');
    all.set(name, (all.get(name) ?? new Set()).add(version));
  }
  const inOrder = (versions) => [...versions].toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return [...all].map(([name, versions]) => `${name} ${inOrder(versions).join(', ')}`).join('; ');
}

if (process.argv[1] === import.meta.filename) {
  const text = tables(noted().at(-1).tarball);
  const page = readFileSync(guide, 'utf8').replace(
    /(<!-- tried -->\n)[^]*(<!-- \/tried -->)/,
    `$1\n${text}\n\n$2`,
  );
  if (process.argv.includes('--write')) writeFileSync(guide, page);
  else console.log(text);
}

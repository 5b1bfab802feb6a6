// Before anything is published: what must be true of the package then. npm runs it (prepublishOnly).
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** What speaks against publishing, one sentence each. */
export function objections(manifest, changelog) {
  const { version, repository, homepage, bugs } = manifest;
  const places = { repository: repository?.url, homepage, bugs: bugs?.url };
  const open = Object.keys(places).filter((field) => !places[field] || /\.invalid\b/.test(places[field]));
  const heading = changelog.split('\n').find((line) => line.startsWith('## '));
  return [
    ...open.map((field) => `package.json: ${field} is a placeholder. Links of the README are followed from there.`),
    ...(heading === `## ${version}` || heading?.startsWith(`## ${version} (2`)
      ? []
      : [`CHANGELOG.md begins with "${heading}", not with "## ${version} (date)".`]),
  ];
}

if (process.argv[1] === import.meta.filename) {
  const read = (file) => readFileSync(resolve(root, file), 'utf8');
  const found = objections(JSON.parse(read('package.json')), read('CHANGELOG.md'));
  for (const objection of found) console.error(objection);
  process.exit(found.length === 0 ? 0 : 1);
}

// The licences of what the package contains and installs, as one page.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const accepted = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD']);

/** Of the packages that these files are from, and of the dependencies. Throws where a licence is not one of those that need no more than a notice. */
export function licences(bundled) {
  const inside = [...new Set(bundled.filter((file) => file.includes('/node_modules/')).map(folderOf))].toSorted();
  const { dependencies } = manifestOf(root);
  const installed = Object.keys(dependencies).map((name) => join(root, 'node_modules', name));
  return `# Licences of others

Installed beside this package:

${installed.map(line).join('\n')}

Inside \`typeorm/beat.source.js\`, the thread that renews leases:

${inside.map(line).join('\n')}

${inside.map(text).join('\n\n')}
`;
}

function folderOf(file) {
  let folder = dirname(file);
  while (!existsSync(join(folder, 'package.json')) || manifestOf(folder).name === undefined) folder = dirname(folder);
  return folder;
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function line(folder) {
  const { name, version, license } = manifestOf(folder);
  if (!accepted.has(license)) throw new Error(`${name} ${version} has the licence ${license}, which nobody has looked at.`);
  return `- ${name} ${version}: ${license}`;
}

function text(folder) {
  const { name, author } = manifestOf(folder);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const own = file === undefined ? `By ${author?.name ?? author}.` : readFileSync(join(folder, file), 'utf8').trim();
  return `## ${name}\n\n${own}`;
}

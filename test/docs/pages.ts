import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

const inFolder = (folder: string): string[] =>
  readdirSync(root + folder)
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file}`);

/** What users read, by paths from the root. */
export const pages = [
  'README.md',
  'docs/README.md',
  ...inFolder('docs/guides'),
  ...inFolder('docs/reference'),
];

/** Every page of the repository. */
export const allPages = [
  ...pages,
  ...inFolder('docs/decisions'),
  'bench/README.md',
  'test/ACCEPTANCE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'UPGRADING.md',
];

export function textOf(page: string): string {
  return readFileSync(root + page, 'utf8');
}

export interface Snippet {
  page: string;
  code: string;
  /** A first line `// name.ts` names a snippet for the others of its page to import. */
  name: string | null;
  /** Marked by `<!-- runs -->` in the line before: it is executed, and what it prints is compared with the comments behind. */
  runs: boolean;
}

export function snippetsOf(page: string): Snippet[] {
  return [...textOf(page).matchAll(/^(<!-- runs -->\n)?```ts\n([\s\S]*?)^```$/gm)].map(([, runs, code]) => ({
    page,
    code: code!,
    name: /^\/\/ ([\w.-]+\.ts)/.exec(code!)?.[1] ?? null,
    runs: runs !== undefined,
  }));
}

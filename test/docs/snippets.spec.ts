import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = `${root}out/snippets`;
const guides = readdirSync(`${root}docs/guides`).map((file) => file.slice(0, -'.md'.length));

function snippetsOf(guide: string): string[] {
  const text = readFileSync(`${root}docs/guides/${guide}.md`, 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);
}

/** A first line `// name.ts` names a snippet for the others of its guide to import. */
function nameOf(snippet: string): string | null {
  return /^\/\/ ([\w.-]+\.ts)/.exec(snippet)?.[1] ?? null;
}

test(
  'the snippets of the guides that import something are whole files, and compile',
  { timeout: 120_000 },
  () => {
    rmSync(folder, { recursive: true, force: true });
    const files = guides.flatMap((guide) => {
      const whole = snippetsOf(guide).filter((snippet) => nameOf(snippet) || /^import /m.test(snippet));
      mkdirSync(`${folder}/${guide}`, { recursive: true });
      return whole.map((snippet, i) => {
        const file = `${folder}/${guide}/${nameOf(snippet) ?? `snippet-${i + 1}.ts`}`;
        writeFileSync(file, snippet);
        return file;
      });
    });
    expect(files.length).toBeGreaterThan(10);
    expect(problemsOf(files)).toEqual([]);
  },
);

test('what the guides call an excerpt of a file is in that file', () => {
  const excerpts = guides.flatMap(snippetsOf).filter((snippet) => snippet.startsWith('// excerpt of '));
  expect(excerpts.length).toBeGreaterThan(0);
  for (const excerpt of excerpts) {
    const [first, ...lines] = excerpt.split('\n');
    const path = first!.slice('// excerpt of '.length);
    expect(readFileSync(root + path, 'utf8').includes(lines.join('\n')), path).toBe(true);
  }
});

function problemsOf(files: string[]): string[] {
  const config = ts.readConfigFile(`${root}tsconfig.json`, (path) => readFileSync(path, 'utf8'));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const program = ts.createProgram(files, { ...options, noEmit: true });
  // Of these files alone: the rest of the program is checked with the code.
  return files
    .map((file) => program.getSourceFile(file)!)
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
    .map(({ file, messageText }) => {
      const name = file!.fileName.slice(root.length);
      return `${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
}

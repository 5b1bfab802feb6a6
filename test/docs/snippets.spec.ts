import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The guides whose snippets are whole files; a first line `// name.ts` names one for the others to import. */
const guides = ['typed-jobs'];

describe('the snippets of the guides compile', () => {
  test.each(guides)(
    '%s',
    (guide) => {
      const text = readFileSync(`${root}docs/guides/${guide}.md`, 'utf8');
      const snippets = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);
      expect(snippets.length).toBeGreaterThan(0);
      const folder = `${root}out/snippets/${guide}`;
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      const files = snippets.map((snippet, i) => {
        const name = /^\/\/ ([\w.-]+\.ts)/.exec(snippet)?.[1] ?? `snippet-${i + 1}.ts`;
        writeFileSync(`${folder}/${name}`, snippet);
        return `${folder}/${name}`;
      });
      expect(problemsOf(files)).toEqual([]);
    },
    120_000,
  );
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

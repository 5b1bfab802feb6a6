import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { root } from './pages.js';

const config = ts.readConfigFile(`${root}tsconfig.json`, (path) => readFileSync(path, 'utf8'));
const parsed = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
const options: ts.CompilerOptions = { ...parsed.options, noEmit: true };

/** Reads each file once for all programs; most of what they read is the types of dependencies. */
const host = ts.createCompilerHost(options);
const read = host.getSourceFile.bind(host);
const files = new Map<string, ts.SourceFile | undefined>();
host.getSourceFile = (name, ...more) => {
  // Snippets are written anew.
  if (name.startsWith(`${root}out/`)) return read(name, ...more);
  if (!files.has(name)) files.set(name, read(name, ...more));
  return files.get(name);
};

/** A module as the compiler sees it. */
export function programOf(path: string): { checker: ts.TypeChecker; exported: ts.Symbol[] } {
  const program = ts.createProgram([root + path], options, host);
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(root + path)!)!;
  const exported = checker
    .getExportsOfModule(module)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
  return { checker, exported };
}

/** How to import what a module exports, by name: `type X` for what is no value. */
export function importsOf(path: string): Map<string, string> {
  return new Map(
    programOf(path).exported.map(({ name, flags }) => [
      name,
      flags & ts.SymbolFlags.Value ? name : `type ${name}`,
    ]),
  );
}

/** What the compiler has to say about these files, each in one line. */
export function problemsOf(paths: string[]): string[] {
  const program = ts.createProgram(paths, options, host);
  // Of these files alone: the rest of the program is checked with the code.
  return paths
    .map((file) => program.getSourceFile(file)!)
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
    .map(({ file, messageText }) => {
      const name = file!.fileName.slice(root.length);
      return `${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
}

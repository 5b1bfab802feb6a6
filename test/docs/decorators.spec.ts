import ts from 'typescript';
import { expect, test } from 'vitest';
import { programOf } from './compiler.js';
import { textOf } from './pages.js';

const page = textOf('docs/reference/decorators.md');

/** The decorators that the package exports, with the names of their options. */
function decoratorsOfTheCode(): Record<string, string[]> {
  const { checker, exported } = programOf('lib/index.ts');
  const found = exported.flatMap((symbol) => {
    if (!(symbol.flags & ts.SymbolFlags.Function)) return [];
    const type = checker.getTypeOfSymbol(symbol);
    const signature = checker.getSignaturesOfType(type, ts.SignatureKind.Call)[0]!;
    if (!/Decorator\b/.test(checker.typeToString(signature.getReturnType()))) return [];
    const options = signature.getParameters().find(({ name }) => name === 'options');
    const names = options ? checker.getPropertiesOfType(checker.getTypeOfSymbol(options)) : [];
    return [[symbol.name, names.map(({ name }) => name).toSorted()] as const];
  });
  return Object.fromEntries(found);
}

/** What the table of options has a mark for. */
function optionsOfTheReference(): Record<string, string[]> {
  const [head, , ...rows] = page
    .match(/^\| option .*\n(?:\|.*\n)+/m)![0]
    .trim()
    .split('\n');
  const cells = (row: string): string[] =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const columns = cells(head!)
    .slice(1)
    .map((cell) => /@(\w+)/.exec(cell)![1]!);
  const marked = (column: number): string[] =>
    rows
      .map(cells)
      .filter((row) => row[column + 1] === '✓')
      .map((row) => /`(\w+)`/.exec(row[0]!)![1]!);
  return Object.fromEntries(columns.map((name, column) => [name, marked(column).toSorted()]));
}

const code = decoratorsOfTheCode();

test('the reference of decorators has a section for each that the package exports', () => {
  const sections = [...page.matchAll(/^## `@(\w+)/gm)].map((match) => match[1]!);
  expect(sections.length).toBeGreaterThan(5);
  expect(sections.toSorted()).toEqual(Object.keys(code).toSorted());
});

test('its table lists exactly the options that each of them takes', () => {
  const withOptions = Object.entries(code).filter(([, options]) => options.length > 0);
  expect(optionsOfTheReference()).toEqual(Object.fromEntries(withOptions));
});

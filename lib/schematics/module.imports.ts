import { namedImports } from './named.imports.js';
import { closingOf, maskOf } from './source.mask.js';

/** A line `import { … } from '…'`. */
export interface ImportLine {
  names: readonly string[];
  from: string;
}

/** What is to be in the imports of a module: a call with options, one to a line. */
export interface ImportedModule {
  call: string;
  options: readonly string[];
}

const importLine = /import\b[^;'"]*?(['"])[^'"\n]*\1(?:\s+with\s*\{[^}]*\})?(;?)/y;

/** The source with the module as the last of the imports of the class, in the form that the source has. Throws Error where that cannot be told. */
export function withImport(source: string, className: string | null, added: ImportedModule): string {
  const eol = source.includes('\r\n') ? '\r\n' : '\n';
  const mask = maskOf(source);
  const opening = optionsOf(mask, className);
  const list = importsOf(mask, opening);
  if (list !== null) return withElement(source, mask, list, added, eol);
  const closing = closingOf(mask, opening)!;
  const isEmpty = mask.slice(opening + 1, closing).trim() === '';
  if (!isEmpty && !source.slice(opening, closing).includes('\n'))
    return insert(source, opening + 1, ` imports: [${inline(added)}],`);
  const indent = isEmpty ? '  ' : indentAt(source, mask.slice(opening + 1).search(/\S/) + opening + 1);
  const lines = ['imports: [', ...listed(added, indent).map((line) => `  ${line}`), '],'];
  const text = lines.map((line) => `${eol}${indent}${line}`).join('');
  return insert(
    source,
    opening + 1,
    isEmpty && !source.slice(opening, closing).includes('\n') ? text + eol : text,
  );
}

/** The source with these lines behind its last import, in its quotes. */
export function withImportLines(source: string, lines: readonly ImportLine[]): string {
  const eol = source.includes('\r\n') ? '\r\n' : '\n';
  const mask = maskOf(source);
  let end = 0;
  let quote = "'";
  let semicolon = ';';
  for (const { index } of mask.matchAll(/^import\b/gm)) {
    importLine.lastIndex = index;
    const found = importLine.exec(source);
    if (found === null) continue;
    end = index + found[0].length;
    [, quote, semicolon] = found as unknown as [string, string, string];
  }
  const missing = lines.filter(({ names, from }) => !isImported(source, names, from));
  const texts = missing.map(
    ({ names, from }) => `import { ${names.join(', ')} } from ${quote}${from}${quote}${semicolon}`,
  );
  if (end === 0) return texts.map((text) => text + eol).join('') + source;
  return insert(source, end, texts.map((text) => eol + text).join(''));
}

/** By their own names: an alias, or a type, is none that is called here. */
function isImported(source: string, names: readonly string[], from: string): boolean {
  const imported = namedImports(source).filter((each) => each.from === from && each.local === each.exported);
  return names.every((name) => imported.some(({ local }) => local === name));
}

/** Where the options of `@Module({` begin. */
function optionsOf(mask: string, className: string | null): number {
  for (const { index, 0: text } of mask.matchAll(/@Module\s*\(/g)) {
    const opening = index + text.length - 1;
    const closing = closingOf(mask, opening);
    if (closing === null) break;
    const name = /\bclass\s+(\w+)/.exec(mask.slice(closing))?.[1];
    if (className !== null && name !== className) continue;
    const inner = mask.slice(opening + 1, closing).search(/\S/);
    if (inner >= 0 && mask[opening + 1 + inner] === '{') return opening + 1 + inner;
  }
  throw new Error(
    `has no @Module({ … })${className === null ? '' : ` of ${className}`} whose options stand there`,
  );
}

/** The brackets of the list `imports`; null: there is none. */
function importsOf(mask: string, opening: number): { opening: number; closing: number } | null {
  const end = closingOf(mask, opening)!;
  for (let at = opening + 1; at < end; at++) {
    if ('([{'.includes(mask[at]!)) {
      at = closingOf(mask, at) ?? end;
      continue;
    }
    const found = /^imports\b\s*(:?)\s*/.exec(mask.slice(at, end));
    if (found === null || /[\w.$]/.test(mask[at - 1]!)) continue;
    const value = at + found[0].length;
    const closing = found[1] === ':' && mask[value] === '[' ? closingOf(mask, value) : null;
    if (closing === null) throw new Error('has "imports" that are no list which stands there');
    // What is behind the list, such as ].concat(…), would come after the module.
    if (!/^\s*[,}]/.test(mask.slice(closing + 1)))
      throw new Error('has "imports" that are more than a list which stands there');
    return { opening: value, closing };
  }
  return null;
}

function withElement(
  source: string,
  mask: string,
  { opening, closing }: { opening: number; closing: number },
  added: ImportedModule,
  eol: string,
): string {
  const inner = mask.slice(opening + 1, closing);
  const outer = indentAt(source, opening);
  if (inner.trim() === '') {
    if (added.options.length === 0) return insert(source, opening + 1, inline(added));
    const text = listed(added, outer)
      .map((line) => `${eol}${outer}  ${line}`)
      .join('');
    const isOneLine = !source.slice(opening, closing).includes('\n');
    return insert(source, opening + 1, isOneLine ? `${text}${eol}${outer}` : text);
  }
  const last = opening + 1 + inner.trimEnd().length - 1;
  const hasComma = mask[last] === ',';
  if (!source.slice(last, closing).includes('\n')) {
    return insert(source, last + 1, `${hasComma ? '' : ','} ${inline(added)}`);
  }
  const first = opening + 1 + inner.search(/\S/);
  const indent = indentAt(source, first);
  const text = listed(added, indent)
    .map((line) => `${eol}${indent}${line}`)
    .join('');
  // A comment behind the last one stays behind it.
  const lineEnd = last + 1 + source.slice(last + 1).search(/\r?\n/);
  const own = hasComma ? text : text.replace(/,$/, '');
  return insert(insert(source, lineEnd, own), last + 1, hasComma ? '' : ',');
}

function inline({ call, options }: ImportedModule): string {
  return options.length === 0 ? `${call}()` : `${call}({ ${options.join(', ')} })`;
}

/** As lines of a list, with a comma behind. */
function listed({ call, options }: ImportedModule, indent: string): string[] {
  const unit = indent.includes('\t') ? '\t' : '  ';
  if (options.length === 0) return [`${call}(),`];
  return [`${call}({`, ...options.map((option) => `${unit}${option},`), '}),'];
}

function indentAt(source: string, at: number): string {
  const begin = source.lastIndexOf('\n', at) + 1;
  return /^[ \t]*/.exec(source.slice(begin, at + 1))![0];
}

function insert(source: string, at: number, text: string): string {
  return source.slice(0, at) + text + source.slice(at);
}

import { maskOf } from './source.mask.js';

/** A name that a file has from another one, or that it hands on. */
export interface NamedImport {
  /** As the other file calls it: `default` is a name too, and `*` all of them. */
  exported: string;
  /** As this file calls it, or hands it on. */
  local: string;
  /** null: it is of this file, and handed on by another name. */
  from: string | null;
}

const lists = /\b(?:import|export)\b\s*(type\b)?\s*(?:[\w$]+\s*,)?\s*\{([^{}]*)\}(?:\s*from\s*(s+))?/g;
const defaults = /\bimport\s+(?!type\s+[\w$]+\s+from)([\w$]+)\s*(?:,\s*\{[^{}]*\}\s*)?\bfrom\s*(s+)/g;
const stars = /\bexport\s*\*\s*from\s*(s+)/g;
const entry = /^([\w$]+)(?:\s+as\s+([\w$]+))?$/;

/** What the imports of a source bring as values, and what its lists of exports hand on; without those that have no braces around names, but for `import A` and `export *`. */
export function namedImports(source: string): NamedImport[] {
  const mask = maskOf(source);
  /** A match ends with its text, which the mask does not have. */
  const fromAt = (match: RegExpMatchArray, text: string | undefined): string | null => {
    const end = match.index! + match[0].length;
    return text === undefined ? null : source.slice(end - text.length + 1, end - 1);
  };
  const found: NamedImport[] = [];
  for (const match of mask.matchAll(lists)) {
    const [, type, names, text] = match;
    if (type !== undefined) continue;
    for (const name of names!.split(',')) {
      const [, exported, local = exported] = entry.exec(name.trim()) ?? [];
      if (exported !== undefined) found.push({ exported, local: local!, from: fromAt(match, text) });
    }
  }
  for (const match of mask.matchAll(defaults))
    found.push({ exported: 'default', local: match[1]!, from: fromAt(match, match[2]) });
  for (const match of mask.matchAll(stars))
    found.push({ exported: '*', local: '*', from: fromAt(match, match[1]) });
  return found;
}

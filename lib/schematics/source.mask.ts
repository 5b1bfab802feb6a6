/** Before these a slash begins a regular expression, as nothing is there that could be divided. */
const beforePattern = new Set('(,=:[!&|?{};+-*%<>~^');
const text = 's';

/**
 * The source with a space for each character of a comment, and an `s` for each of a text or a regular expression: as long as the source, with its lines, and what brackets and words are left in it are code.
 */
export function maskOf(source: string): string {
  const mask = [...Array(source.length).keys()].map((at) => source[at]!);
  const cover = (from: number, to: number, by: string): number => {
    for (let at = from; at < to; at++) if (!/[\r\n]/.test(mask[at]!)) mask[at] = by;
    return to;
  };
  let last = '(';
  for (let at = 0; at < source.length;) {
    const char = source[at]!;
    const two = source.slice(at, at + 2);
    if (two === '//') at = cover(at, endOf(source, at, '\n'), ' ');
    else if (two === '/*') at = cover(at, Math.min(endOf(source, at + 2, '*/') + 2, source.length), ' ');
    else if (char === "'" || char === '"' || char === '`') {
      at = cover(at, quotedEnd(source, at), text);
      last = text;
    } else if (char === '/' && beforePattern.has(last)) {
      at = cover(at, patternEnd(source, at), text);
      last = text;
    } else {
      if (!/\s/.test(char)) last = char;
      at++;
    }
  }
  return mask.join('');
}

/** Where the bracket closes that opens there; null: nowhere. */
export function closingOf(mask: string, opening: number): number | null {
  let depth = 0;
  for (let at = opening; at < mask.length; at++) {
    if ('([{'.includes(mask[at]!)) depth++;
    else if (')]}'.includes(mask[at]!) && --depth === 0) return at;
  }
  return null;
}

function endOf(source: string, from: number, what: string): number {
  const found = source.indexOf(what, from);
  return found < 0 ? source.length : found;
}

/** Templates as a whole: what is in their braces is no code that we look for. */
function quotedEnd(source: string, begin: number): number {
  const quote = source[begin]!;
  for (let at = begin + 1; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === quote) return at + 1;
    else if (quote === '`' && source.startsWith('${', at)) at = braceEnd(source, at + 1);
  }
  return source.length;
}

function braceEnd(source: string, begin: number): number {
  let depth = 0;
  for (let at = begin; at < source.length; at++) {
    const char = source[at]!;
    if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return at;
    else if (char === "'" || char === '"' || char === '`') at = quotedEnd(source, at) - 1;
  }
  return source.length;
}

function patternEnd(source: string, begin: number): number {
  let isInClass = false;
  for (let at = begin + 1; at < source.length && source[at] !== '\n'; at++) {
    const char = source[at]!;
    if (char === '\\') at++;
    else if (char === '[') isInClass = true;
    else if (char === ']') isInClass = false;
    else if (char === '/' && !isInClass) return at + 1;
  }
  return begin + 1;
}

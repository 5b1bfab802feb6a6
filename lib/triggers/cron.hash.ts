import { rangeOf } from './field.range.js';
import type { FieldSet } from './field.set.js';
import type { FieldText } from './field.text.js';
import { stableHash } from './stable.hash.js';

/**
 * Adds `H`, `H(a-b)`, `H/n` or `H(a-b)/n`: one value of the range, or every n-th from one of its first n, chosen by a
 * hash of the job and the field, so that jobs with the same expression do not all start at once.
 */
export function addHashed(set: FieldSet, text: FieldText, step: number | null, key: string): void {
  const { spec } = set;
  if (spec.hashed === null) text.refuse('bad-special', 'is not allowed: this field takes no "H"');
  const [from, to] = hashedRange(text, spec.hashed);
  const width = to - from + 1;
  const hash = stableHash(`${spec.name}\n${key}`);
  if (step === null) {
    const value = from + (hash % width);
    set.addRange(value, value, 1);
  } else {
    set.addRange(from + (hash % Math.min(step, width)), to, step);
  }
}

function hashedRange(text: FieldText, whole: readonly [number, number]): readonly [number, number] {
  if (text.text.length === 1) return whole;
  const found = /^H\(([^()]+)\)$/i.exec(text.text);
  const dash = found?.[1]!.indexOf('-', 1) ?? -1;
  if (!found || dash < 0) {
    text.refuse('bad-special', 'is not understood', 'Write H, H(a-b), H/n or H(a-b)/n.');
  }
  return rangeOf(text.part(2, text.text.length - 1), dash);
}

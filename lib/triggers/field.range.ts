import type { FieldText } from './field.text.js';

/** Both ends of `a-b`. */
export function rangeOf(text: FieldText, dash: number): [number, number] {
  const end = text.part(dash + 1);
  const from = text.part(0, dash).value();
  let to = end.value();
  // A range may end on Sunday by its name; only the number 7 could say so otherwise.
  if (to === 0 && from > 0 && text.spec.name === 'weekday' && /^SUN$/i.test(end.text)) to = 7;
  if (from > to) {
    text.refuse(
      'reversed-range',
      'begins after its end',
      `Write the part before the end and the part after it: a list.`,
    );
  }
  return [from, to];
}

import { addHashed } from './cron.hash.js';
import { addSpecial, looksSpecial } from './cron.specials.js';
import { rangeOf } from './field.range.js';
import type { FieldSet } from './field.set.js';
import type { FieldText } from './field.text.js';

/** Adds one item of a list to the set: `*`, `?`, `n`, `a-b`, each with a step, `H`, or one of the specials. */
export function addItem(set: FieldSet, item: FieldText, key: string): void {
  if (/^[0-9]+$/.test(item.text)) {
    addValues(set, item, null);
    return;
  }
  const { spec } = set;
  if (item.text === '') {
    item.refuse('empty', 'has an empty item', 'Remove the comma, or put a value beside it.');
  }
  const slash = item.text.indexOf('/');
  const base = slash < 0 ? item : item.part(0, slash);
  if (slash >= 0) set.open = set.stepped = true;

  if (/^H(?:$|[^A-Za-z])/i.test(base.text)) {
    addHashed(set, base, slash < 0 ? null : stepOf(item, slash), key);
    return;
  }
  if (base.text === '?' || looksSpecial(base)) {
    if (base.text !== '?') addSpecial(set, slash < 0 ? base : item);
    else if (slash >= 0) item.refuse('bad-special', 'has a step, and "?" takes none', 'Write "*" instead.');
    else if (spec.kind !== 'day' && spec.kind !== 'weekday') {
      item.refuse('bad-special', 'is not allowed: "?" belongs to day and weekday', 'Write "*" instead.');
    } else addAll(set);
    return;
  }
  const step = slash < 0 ? null : stepOf(item, slash);
  if (base.text === '*') addAll(set, step ?? 1);
  else addValues(set, base, step);
}

function addAll(set: FieldSet, step = 1): void {
  set.open = true;
  set.addRange(set.spec.min, set.spec.max, step);
}

function addValues(set: FieldSet, base: FieldText, step: number | null): void {
  const { spec } = set;
  if (base.text === '') base.refuse('bad-step', 'has a step without a beginning', 'Write "*/n" or "a/n".');
  if (spec.kind === 'weekday' && /\d/.test(base.text)) set.numbered = true;
  const dash = base.text.indexOf('-');
  if (dash <= 0) {
    const from = base.value();
    set.addRange(from, step === null ? from : spec.max, step ?? 1);
    return;
  }
  const [from, to] = rangeOf(base, dash);
  set.addRange(from, to, step ?? 1);
}

function stepOf(item: FieldText, slash: number): number {
  const step = item.part(slash + 1);
  if (step.text === '')
    step.refuse('bad-step', 'has no step after its "/"', 'A step is a whole number from 1.');
  if (!/^[0-9]+$/.test(step.text)) {
    step.refuse('bad-step', 'is not a step', 'A step is a whole number from 1.');
  }
  const value = Number(step.text);
  if (value < 1) step.refuse('bad-step', 'is not a step', 'A step is at least 1.');
  const { spec } = item;
  if (value > spec.width) {
    const unit = spec.kind === 'time' ? `${spec.name}s` : null;
    step.refuse(
      'bad-step',
      `is a step wider than the field, which has ${spec.width} values`,
      unit
        ? `Use an interval of ${shownStep(step.text)} ${unit} instead: { type: 'interval', every: … }.`
        : null,
    );
  }
  return value;
}

function shownStep(text: string): string {
  return text.length > 12 ? 'that many' : text.replace(/^0+/, '');
}

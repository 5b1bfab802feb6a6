import type { CronDefinition } from './cron.definition.js';
import { stringFields, type FieldSpec } from './cron.field.js';
import { addItem } from './cron.item.js';
import { withoutMacro } from './cron.macros.js';
import { FieldSet, impliedField } from './field.set.js';
import { FieldText } from './field.text.js';
import { refuse, shown } from './refuse.js';

/** An expression that lists every value of every field by name has 600 characters. */
export const maxExpressionLength = 2_048;
export const maxTerms = 500;

/**
 * Reads a cron string of 5 fields (minute hour day month weekday), 6 (second first) or 7 (year last), or a macro.
 * `key` names the job: `H` depends on it.
 */
export function parseCronExpression(given: string, key: string): CronDefinition {
  if (typeof given !== 'string') {
    refuse(given, 'empty', `Cron: the expression is ${shown(given)}, which is not text.`, {
      field: 'expression',
    });
  }
  if (given.length > maxExpressionLength) {
    refuse(given, 'out-of-range', `Cron: the expression is longer than ${maxExpressionLength} characters.`, {
      position: maxExpressionLength,
    });
  }
  const trimmed = given.replace(/^[ \t]+|[ \t]+$/g, '');
  if (trimmed.trim() === '') {
    refuse(given, 'empty', 'Cron: the expression is empty.', {
      position: 0,
      hint: 'Write for example "0 9 * * 1-5".',
    });
  }
  const expression = withoutMacro(trimmed);
  const start = expression === trimmed ? given.indexOf(trimmed) : 0;
  const texts = [...expression.matchAll(/[^ \t]+/g)];
  if (texts.length < 5 || texts.length > 7) {
    refuse(
      given,
      'field-count',
      `Cron "${shown(given)}" has ${texts.length} fields; it must have 5, 6 or 7.`,
      {
        position: texts.length > 7 ? start + texts[7]!.index : given.length,
        hint: 'They are minute hour day month weekday; with 6 the second comes first, with 7 the year comes last.',
      },
    );
  }
  const field = (index: number, spec: FieldSpec): FieldSet => {
    const found = texts[index]!;
    return parseField(new FieldText(found[0], start + found.index, spec, given), key);
  };
  const shift = texts.length === 5 ? 0 : 1;
  // From left to right, so that the first error is told.
  const second = shift ? field(0, stringFields.second) : impliedField(stringFields.second, true);
  const minute = field(shift, stringFields.minute);
  const hour = field(shift + 1, stringFields.hour);
  const day = field(shift + 2, stringFields.day);
  const month = field(shift + 3, stringFields.month);
  const weekday = field(shift + 4, stringFields.weekday);
  const year = texts.length === 7 ? field(6, stringFields.year) : null;
  const either = !day.unrestricted && !weekday.unrestricted;
  return { second, minute, hour, day, month, weekday, week: null, year, either };
}

/** Reads the text of one field. */
export function parseField(text: FieldText, key: string): FieldSet {
  if (text.text === '*') return impliedField(text.spec);
  const set = new FieldSet(text.spec);
  set.unrestricted = text.text === '?';
  const items = text.items();
  if (items.length > maxTerms) text.refuse('out-of-range', `has more than ${maxTerms} items`);
  for (const item of items) addItem(set, item, key);
  return set;
}

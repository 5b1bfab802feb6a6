import type { CronFields } from '../model/trigger.js';
import type { CronDefinition } from './cron.definition.js';
import { objectFields, type FieldSpec } from './cron.field.js';
import { maxExpressionLength, parseField } from './cron.expression.js';
import { impliedField, type FieldSet } from './field.set.js';
import { FieldText } from './field.text.js';
import { nearestName } from '../model/nearest.name.js';
import { refuse, shown } from './refuse.js';

type Key = keyof CronFields;

/** From the most to the least significant. */
const order: readonly Key[] = ['year', 'month', 'day', 'week', 'dayOfWeek', 'hour', 'minute', 'second'];

/**
 * Reads a fields object. What is less significant than the least significant field given takes its minimum (week and
 * dayOfWeek take every value), the rest takes every value.
 */
export function parseCronFields(given: CronFields, key: string): CronDefinition {
  const fields = normalizeFields(given);
  const least = order.findLastIndex((name) => fields[name] !== undefined);
  const sets = {} as Record<Key, FieldSet>;
  for (const [index, name] of order.entries()) {
    const spec = objectFields[name];
    const value = fields[name];
    const everyValue = index < least || name === 'week' || name === 'dayOfWeek';
    sets[name] = value === undefined ? impliedField(spec, !everyValue) : fieldOf(value, spec, key);
  }
  const { second, minute, hour, day, month, week, year, dayOfWeek } = sets;
  return { second, minute, hour, day, month, weekday: dayOfWeek, week, year, either: false };
}

/** The fields that were given, under their own names: `day_of_week` becomes `dayOfWeek`. */
export function normalizeFields(given: CronFields): CronFields {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    refuse(given, 'empty', `Cron: the fields are ${shown(given)}, which is not an object.`, {
      field: 'fields',
    });
  }
  if (given instanceof Date) {
    refuse(given, 'bad-name', `Cron: the time ${shown(given)} is neither an expression nor fields.`, {
      field: 'fields',
      hint: 'What is due once is given as "at".',
    });
  }
  const fields: CronFields = {};
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue;
    const name = (key === 'day_of_week' ? 'dayOfWeek' : key) as Key;
    if (!order.includes(name)) unknownKey(given, key);
    if (fields[name] !== undefined) {
      refuse(given, 'ambiguous', `Cron fields: "dayOfWeek" and "day_of_week" are one field.`, {
        field: name,
        hint: 'Give it once.',
      });
    }
    fields[name] = value as number | string;
  }
  if (Object.keys(fields).length === 0) {
    refuse(given, 'empty', 'Cron fields: none is given.', {
      field: 'fields',
      hint: 'Give one, for example { hour: 9, minute: 0 }.',
    });
  }
  return fields;
}

function fieldOf(value: number | string, spec: FieldSpec, key: string): FieldSet {
  const input = typeof value === 'string' ? value : shown(value);
  const text = new FieldText(input, 0, spec, input);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) text.outOfRange();
    return parseField(text, key);
  }
  if (typeof value !== 'string') text.refuse('bad-name', 'is neither a number nor text');
  if (value.length > maxExpressionLength)
    text.refuse('out-of-range', `is longer than ${maxExpressionLength} characters`);
  if (value.trim() === '') text.refuse('empty', 'is empty', 'Leave the field out, or write "*".');
  return parseField(text.trimmed(), key);
}

function unknownKey(given: CronFields, key: string): never {
  const near = nearestName(key, [...order, 'day_of_week']);
  return refuse(given, 'unknown-key', `Cron fields: there is no field "${shown(key)}".`, {
    field: key.slice(0, 40),
    hint:
      near && key === `${near}s`
        ? `"${near}" is one of the calendar and the clock, so that { minute: 5 } is at five past. For a pace use an interval, such as every: '5m'.`
        : near
          ? `Did you mean "${near}"?`
          : `Fields are ${order.join(', ')}.`,
  });
}

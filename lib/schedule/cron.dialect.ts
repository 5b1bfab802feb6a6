import { CronError } from './cron.error.js';

/** One field of a cron text. */
interface Unit {
  name: string;
  min: number;
  max: number;
  /** How many different values there are: 0 and 7 are one weekday. */
  width: number;
}

export const units: readonly Unit[] = [
  { name: 'second', min: 0, max: 59, width: 60 },
  { name: 'minute', min: 0, max: 59, width: 60 },
  { name: 'hour', min: 0, max: 23, width: 24 },
  { name: 'dayOfMonth', min: 1, max: 31, width: 31 },
  { name: 'month', min: 1, max: 12, width: 12 },
  { name: 'dayOfWeek', min: 0, max: 7, width: 7 },
];

const presets: ReadonlyMap<string, string> = new Map([
  ['@secondly', '* * * * * *'],
  ['@minutely', '0 * * * * *'],
  ['@hourly', '0 0 * * * *'],
  ['@daily', '0 0 0 * * *'],
  ['@weekdays', '0 0 0 * * 1-5'],
  ['@weekends', '0 0 0 * * 0,6'],
  ['@weekly', '0 0 0 * * 0'],
  ['@monthly', '0 0 0 1 * *'],
  ['@yearly', '0 0 0 1 1 *'],
]);

const names: ReadonlyMap<string, number> = new Map([
  ...['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'].map(
    (name, i) => [name, i + 1] as const,
  ),
  ...['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'].map((name, i) => [name, i] as const),
]);

/** A cron text that was understood. */
export interface CronText {
  /** Six fields in the words of the trigger engine, which fire at the same wall times. */
  expression: string;
  /** The values of each field in the order of `units`. */
  values: readonly ReadonlySet<number>[];
}

/**
 * Reads a cron text as the `cron` package does: 5 or 6 fields, names in any field, its presets, and a day field that is unrestricted as soon as it
 * has all values, however it says so. Throws CronError.
 */
export function readCron(source: string): CronText {
  if (typeof source !== 'string') {
    throw new CronError(`cronTime must be text, a Date or a luxon DateTime, but is ${String(source)}.`);
  }
  const lower = source.toLowerCase();
  const numbered = (presets.get(lower) ?? lower).replace(/[a-z]{1,3}/g, numberOf);
  const fields = numbered.trim().split(/\s+/);
  if (fields.length < 5) throw new CronError('Too few fields');
  if (fields.length > 6) throw new CronError('Too many fields');
  if (fields.length === 5) fields.unshift('0');
  const read = fields.map((field, i) => readField(field, units[i]!));
  return { expression: read.map(({ text }) => text).join(' '), values: read.map(({ values }) => values) };
}

function numberOf(name: string): string {
  const number = names.get(name);
  if (number === undefined) throw new CronError(`Unknown alias: ${name}`);
  return String(number);
}

function readField(field: string, unit: Unit): { text: string; values: ReadonlySet<number> } {
  const items = field.split(',');
  const misplaced = items.find((item) => item.indexOf('*') > 0);
  if (misplaced !== undefined) {
    throw new CronError(`Field (${misplaced}) has an invalid wildcard expression`);
  }
  const values = new Set<number>();
  const spelledOut = field.replaceAll('*', `${unit.min}-${unit.max}`);
  for (const item of spelledOut.split(',')) addItem(values, item, unit, spelledOut);
  return { text: engineText(items, values, unit), values };
}

function addItem(values: Set<number>, item: string, unit: Unit, field: string): void {
  const [, from, to, every] = /^(\d+)(?:-(\d+))?(?:\/(\d+))?$/.exec(item) ?? [];
  if (from === undefined) throw new CronError(`Field (${unit.name}) cannot be parsed`);
  const step = Number(every ?? 1);
  const first = Number(from);
  const last = to === undefined ? (every === undefined ? first : unit.max) : Number(to);
  if (step === 0) throw new CronError(`Field (${unit.name}) has a step of zero`);
  if (to !== undefined && first > last) throw new CronError(`Field (${unit.name}) has an invalid range`);
  if (first < unit.min || Math.max(first, last) > unit.max) {
    throw new CronError(`Field value (${field}) is out of range`);
  }
  for (let value = first; value <= last; value += step) {
    values.add(unit.name === 'dayOfWeek' && value === 7 ? 0 : value);
  }
}

/** The field for the engine, which refuses steps wider than a field and takes every day field but "*" for a restriction. */
function engineText(items: readonly string[], values: ReadonlySet<number>, { name, width }: Unit): string {
  if (name.startsWith('dayOf') && values.size === width) return '*';
  return items
    .map((item) => item.replace(/\/(\d+)$/, (_, step: string) => `/${Math.min(Number(step), width)}`))
    .join(',');
}

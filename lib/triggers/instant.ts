import type { InstantInput } from '../model/trigger.js';
import { dayNumber, daySeconds, monthLength } from './civil.date.js';
import { refuse, shown } from './refuse.js';
import { assertTimeZone } from './time.zone.js';
import { readWallTime } from './wall.time.js';
import { ZoneOffsets } from './zone.offsets.js';

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{3}))?)?(Z|([+-])(\d{2}):(\d{2}))?$/d;
const maxEpochMs = 8.64e15;

/**
 * An instant from a Date, epoch milliseconds, ISO 8601 text or a luxon DateTime.
 *
 * Text is `YYYY-MM-DD`, `T` or a blank, `HH:MM`, and as wanted `:SS`, `.fff` and `Z` or `±HH:MM`. An offset in the text
 * wins over the zone; without one it is wall time in `zone`: the later reading where the clocks went forward over it,
 * the first where it exists twice.
 *
 * Throws `InvalidScheduleError`: `empty`, `out-of-range` (30 February, hour 25, not a date at all), `ambiguous`
 * (01/02/2025) or `bad-zone`. @publicApi
 */
export function parseAt(input: InstantInput, zone: string, field = 'at'): Date {
  const ms = instantMs(input, assertTimeZone(zone), field);
  if (!Number.isFinite(ms) || Math.abs(ms) > maxEpochMs) {
    refuse(input, 'out-of-range', `${field}: ${shown(input)} is not an instant.`, { field, hint: dateHint });
  }
  return new Date(ms);
}

function instantMs(input: unknown, zone: string, field: string): number {
  if (typeof input === 'string') return textMs(input, zone, field);
  if (typeof input === 'number') return Math.trunc(input);
  if (input instanceof Date) return input.getTime();
  if (input === null || input === undefined) {
    return refuse(input, 'empty', `${field}: no date is given.`, { field, hint: dateHint });
  }
  const convert = typeof input === 'object' ? (input as { toMillis?: unknown }).toMillis : null;
  return typeof convert === 'function' ? Math.trunc(Number(convert.call(input))) : NaN;
}

const dateHint =
  'Give a Date, epoch milliseconds, or text such as "2025-11-08 10:00:00" or "2025-11-08T10:00:00Z".';

function textMs(text: string, zone: string, field: string): number {
  if (text.trim() === '')
    refuse(text, 'empty', `${field}: the date is empty.`, { field, position: 0, hint: dateHint });
  const found = text.length <= 40 ? pattern.exec(text) : null;
  if (!found) return notADate(text, field);
  const check = (group: number, least: number, most: number, what: string): number => {
    const value = Number(found[group] ?? 0);
    if (value >= least && value <= most) return value;
    return refuse(
      text,
      'out-of-range',
      `${field}: "${text}" has the ${what} ${value}; it must be ${least} to ${most}.`,
      {
        field,
        position: found.indices![group]?.[0] ?? 0,
      },
    );
  };
  const year = check(1, 1, 9999, 'year');
  const month = check(2, 1, 12, 'month');
  const day = check(3, 1, monthLength(year, month), 'day');
  const seconds = check(4, 0, 23, 'hour') * 3600 + check(5, 0, 59, 'minute') * 60 + check(6, 0, 59, 'second');
  const local = dayNumber(year, month, day) * daySeconds + seconds;
  const fraction = Number(found[7] ?? 0);
  if (found[8] === undefined) {
    const reading = readWallTime(ZoneOffsets.of(zone), local);
    return (reading.kind === 'gap' ? reading.later : reading.at) * 1000 + fraction;
  }
  const sign = found[9] === '-' ? -1 : 1;
  const offset = check(10, 0, 23, 'offset hour') * 3600 + check(11, 0, 59, 'offset minute') * 60;
  return (local - sign * offset) * 1000 + fraction;
}

function notADate(text: string, field: string): never {
  const reason = /^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?:\D|$)/.test(text) ? 'ambiguous' : 'out-of-range';
  return refuse(text, reason, `${field}: "${shown(text)}" is not a date and time.`, {
    field,
    position: 0,
    hint:
      reason === 'ambiguous' ? `The day and the month may be mistaken for each other. ${dateHint}` : dateHint,
  });
}

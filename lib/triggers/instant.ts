import type { InstantInput } from '../model/trigger.js';
import { dayNumber, daySeconds, monthLength } from './civil.date.js';
import { refuse, shown } from './refuse.js';
import { assertTimeZone } from './time.zone.js';
import { readWallTime } from './wall.time.js';
import { firstInstantMs, lastInstantMs } from './zone.limits.js';
import { ZoneOffsets } from './zone.offsets.js';

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):?(\d{2}))?)?(?:\[!?([^\]!]+)\])?$/d;
const longestText = 100;
/** Numbers between these are milliseconds of January 1970 to March 1973, or seconds of 1973 to 5138. */
const [firstSeconds, lastSeconds] = [1e8, 1e11];

/**
 * An instant from a Date, epoch milliseconds, ISO 8601 text or a luxon DateTime.
 *
 * Text is `YYYY-MM-DD`, `T` or a blank, `HH:MM`, and as wanted `:SS`, a fraction of 1 to 9 digits (cut to milliseconds), `Z`,
 * `±HH:MM` or `±HHMM`, and `[Asia/Seoul]`. A date alone is its midnight. An offset in the text wins over the zone; without one it is
 * wall time in the zone that the text names, else in `zone`: the later reading where the clocks went forward over it, the
 * first where it exists twice.
 *
 * Throws `InvalidScheduleError`: `empty`, `out-of-range` (30 February, hour 25, not a date at all, a number that can only be
 * seconds, before the year 1 or after 9999), `ambiguous` (01/02/2025, an offset that the named zone does not have) or `bad-zone`. @publicApi
 */
export function parseAt(input: InstantInput, zone: string, field = 'at'): Date {
  const ms = instantMs(input, assertTimeZone(zone), field);
  // NaN is in no range.
  if (!(ms >= firstInstantMs && ms <= lastInstantMs)) {
    refuse(input, 'out-of-range', `${field}: ${shown(input)} is not an instant.`, { field, hint: dateHint });
  }
  return new Date(ms);
}

function instantMs(input: unknown, zone: string, field: string): number {
  if (typeof input === 'string') return textMs(input, zone, field);
  if (typeof input === 'number') return Math.trunc(milliseconds(input, field));
  if (input instanceof Date) return input.getTime();
  if (input === null || input === undefined) {
    return refuse(input, 'empty', `${field}: no date is given.`, { field, hint: dateHint });
  }
  const convert = typeof input === 'object' ? (input as { toMillis?: unknown }).toMillis : null;
  return typeof convert === 'function' ? Math.trunc(Number(convert.call(input))) : NaN;
}

function milliseconds(epoch: number, field: string): number {
  if (epoch < firstSeconds || epoch >= lastSeconds || Number.isNaN(epoch)) return epoch;
  return refuse(
    epoch,
    'out-of-range',
    `${field}: ${epoch} can only be seconds; a number is epoch milliseconds.`,
    {
      field,
      hint: `Multiply it by 1000. For ${new Date(epoch).toISOString()}, if that is meant, give a Date.`,
    },
  );
}

const dateHint =
  'Give a Date, epoch milliseconds, or text such as "2025-11-08 10:00:00" or "2025-11-08T10:00:00Z".';

function textMs(text: string, zone: string, field: string): number {
  if (text.trim() === '')
    refuse(text, 'empty', `${field}: the date is empty.`, { field, position: 0, hint: dateHint });
  const found = text.length <= longestText ? pattern.exec(text) : null;
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
  const ms = Number((found[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const named = found[12] === undefined ? null : assertTimeZone(found[12], field);
  if (found[8] !== undefined) return local * 1000 + ms;
  if (found[9] === undefined) {
    const reading = readWallTime(ZoneOffsets.of(named ?? zone), local);
    return (reading.kind === 'gap' ? reading.later : reading.at) * 1000 + ms;
  }
  const offset =
    (found[9] === '-' ? -1 : 1) *
    (check(10, 0, 23, 'offset hour') * 3600 + check(11, 0, 59, 'offset minute') * 60);
  const at = local - offset;
  if (named !== null) assertAgrees(text, ZoneOffsets.of(named).segmentAt(at).offset === offset, named, field);
  return at * 1000 + ms;
}

/** An offset and a zone in one text are one thing said twice. */
function assertAgrees(text: string, agrees: boolean, zone: string, field: string): void {
  if (agrees) return;
  refuse(text, 'ambiguous', `${field}: "${text}" names an offset that ${zone} does not have at that time.`, {
    field,
    position: text.indexOf('['),
    hint: 'Leave out the offset, or the zone.',
  });
}

function notADate(text: string, field: string): never {
  const reason = /^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?:\D|$)/.test(text) ? 'ambiguous' : 'out-of-range';
  const hint =
    reason === 'ambiguous'
      ? `The day and the month may be mistaken for each other. ${dateHint}`
      : /^\d+$/.test(text)
        ? `Epoch milliseconds are a number: Number("${shown(text)}"). ${dateHint}`
        : dateHint;
  return refuse(text, reason, `${field}: "${shown(text)}" is not a date and time.`, {
    field,
    position: 0,
    hint,
  });
}

import { InvalidScheduleError } from '../model/errors.js';
import type { Calendars, Exclusion } from '../model/trigger.js';
import { dateText, dayNumber, monthLength } from './civil.date.js';
import { weekdayNames } from './cron.field.js';
import { checkKeys } from './keys.js';
import { nearestName } from '../model/nearest.name.js';
import { refuse, shown } from './refuse.js';
import { assertTimeZone } from './time.zone.js';

const field = 'exclude';
/** Of dates and weekdays in one trigger. */
const maxDays = 5_000;
const kinds = ['dates', 'weekdays', 'from', 'calendar'] as const;

/** Checks exclusions and brings them into their stored form. */
export function normalizeExclusions(given: unknown): Exclusion[] {
  if (!Array.isArray(given)) {
    refuse(given, 'bad-name', `exclude: ${shown(given)} is not a list.`, {
      field,
      hint: 'Write for example [{ weekdays: ["SAT", "SUN"] }].',
    });
  }
  const exclusions = given.map((exclusion) => normalizeExclusion(exclusion));
  const days = exclusions.reduce(
    (sum, one) => sum + ('dates' in one ? one.dates.length : 'weekdays' in one ? one.weekdays.length : 1),
    0,
  );
  if (days > maxDays)
    refuse(given, 'out-of-range', `exclude: it has ${days} entries, more than ${maxDays}.`, { field });
  return exclusions;
}

/** Checks named calendars: each is a list of exclusions, none of which refers to another calendar. */
export function normalizeCalendars(given: unknown): Calendars {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    refuse(given, 'bad-name', `calendars: ${shown(given)} is not an object.`, {
      field: 'calendars',
      hint: 'Write for example { holidays: [{ dates: ["2026-12-25"] }] }.',
    });
  }
  const entries = Object.entries(given).map(([name, exclusions]) => {
    const list = inCalendar(name, () => normalizeExclusions(exclusions));
    if (list.some((exclusion) => 'calendar' in exclusion)) {
      refuse(name, 'bad-name', `calendars: "${name}" refers to a calendar.`, { field: 'calendars' });
    }
    return [name, list] as const;
  });
  return Object.freeze(Object.fromEntries(entries));
}

/** What it throws names the calendar. */
function inCalendar<T>(name: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof InvalidScheduleError)) throw error;
    const { input, reason, position, hint } = error;
    const own = hint === null ? error.message : error.message.slice(0, -hint.length - 1);
    const message = `calendars["${name}"]: ${own.replace(/^exclude: /, '')}`;
    throw new InvalidScheduleError({ input, reason, position, hint, message, field: 'calendars' });
  }
}

function normalizeExclusion(given: unknown): Exclusion {
  const keys = checkKeys(given, [...kinds, 'to', 'timeZone'], field);
  const found = kinds.filter((kind) => keys[kind] !== undefined);
  if (found.length !== 1) {
    refuse(
      given,
      found.length === 0 ? 'empty' : 'ambiguous',
      'exclude: an entry must have exactly one rule.',
      {
        field,
        hint: 'Give dates, weekdays, from and to, or calendar; several rules are several entries.',
      },
    );
  }
  const zone = keys.timeZone === undefined ? {} : { timeZone: assertTimeZone(keys.timeZone as string) };
  if (keys.from !== undefined) {
    const [from, to] = [parseDay(keys.from), parseDay(keys.to)];
    if (from > to) refuse(given, 'reversed-range', 'exclude: "from" is after "to".', { field });
    return { from: dateText(from), to: dateText(to), ...zone };
  }
  if (keys.to !== undefined) refuse(given, 'unknown-key', 'exclude: "to" belongs to "from".', { field });
  if (keys.dates !== undefined)
    return { dates: listOf(keys.dates, 'dates').map((d) => dateText(parseDay(d))), ...zone };
  if (keys.weekdays !== undefined) {
    return { weekdays: listOf(keys.weekdays, 'weekdays').map((day) => weekdayNumber(day)), ...zone };
  }
  if (typeof keys.calendar !== 'string' || keys.calendar === '') {
    refuse(given, 'empty', 'exclude: a calendar is named by text.', { field });
  }
  return { calendar: keys.calendar, ...zone };
}

function listOf(given: unknown, name: string): unknown[] {
  if (!Array.isArray(given)) refuse(given, 'bad-name', `exclude: "${name}" is not a list.`, { field });
  if (given.length === 0) refuse(given, 'empty', `exclude: "${name}" is empty.`, { field });
  return given;
}

/** Days since 1970-01-01 of `YYYY-MM-DD`. */
export function parseDay(given: unknown): number {
  const found = typeof given === 'string' ? /^(\d{4})-(\d{2})-(\d{2})$/.exec(given) : null;
  if (found) {
    const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
    const exists = year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= monthLength(year, month);
    if (exists) return dayNumber(year, month, day);
  }
  return refuse(given, given === '' ? 'empty' : 'out-of-range', `exclude: ${shown(given)} is not a date.`, {
    field,
    hint: 'Write it as "2025-12-25".',
  });
}

/** 0 = Sunday, as in a cron string; 7 and three-letter names are taken too. */
export function weekdayNumber(given: unknown): number {
  if (typeof given === 'number') {
    if (Number.isInteger(given) && given >= 0 && given <= 7) return given % 7;
    refuse(given, 'out-of-range', `exclude: ${given} is not a weekday; it must be 0 to 7.`, { field });
  }
  const named = typeof given === 'string' ? weekdayNames.get(given.toUpperCase()) : undefined;
  if (named !== undefined) return named;
  const near = typeof given === 'string' ? nearestName(given.slice(0, 3), weekdayNames.keys()) : null;
  return refuse(given, 'bad-name', `exclude: ${shown(given)} is not a weekday.`, {
    field,
    hint: near ? `Did you mean "${near}"?` : 'Write SUN to SAT, or 0 (Sunday) to 6.',
  });
}

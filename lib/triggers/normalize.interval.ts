import type { DurationInput, IntervalTrigger } from '../model/trigger.js';
import { parseDuration } from './duration.js';
import { checkKeys, checkWord } from './keys.js';
import type { NormalizeContext } from './normalize.context.js';
import { instantText, normalizeRecurrence, recurrenceKeys } from './normalize.recurrence.js';
import { refuse, shown } from './refuse.js';

const dayMs = 86_400_000;

/** The stored form of an interval. */
export function normalizeInterval(given: object, context: NormalizeContext): IntervalTrigger {
  const keys = checkKeys(
    given,
    ['type', 'every', 'anchor', 'mode', 'calendar', ...recurrenceKeys],
    'interval',
  );
  const { duration, calendar } = calendarOf(keys.every, keys.calendar);
  if (duration === undefined) {
    refuse(given, 'bad-duration', 'every: no duration is given.', {
      field: 'every',
      hint: 'Give milliseconds, text such as "5m", or { minutes: 5 }.',
    });
  }
  const every = parseDuration(duration as DurationInput, 'every');
  const shortest = context.minEveryMs ?? 1;
  if (every < shortest) {
    refuse(
      keys.every,
      'bad-duration',
      `every: ${shown(keys.every)} is shorter than ${shortest} ms, the shortest interval.`,
      {
        field: 'every',
        hint:
          typeof keys.every === 'number'
            ? 'A number is milliseconds: for 30 seconds write "30s" or 30_000.'
            : null,
      },
    );
  }
  const mode =
    keys.mode === undefined ? 'fixed-rate' : checkWord(keys.mode, ['fixed-rate', 'fixed-delay'], 'mode');
  if (calendar && mode === 'fixed-delay') {
    refuse(given, 'ambiguous', 'interval: a fixed delay follows no calendar.', {
      field: 'mode',
      hint: 'Drop one of them.',
    });
  }
  if (calendar && every % dayMs !== 0) {
    refuse(keys.every, 'bad-duration', 'every: an interval by the calendar must be whole days or weeks.', {
      field: 'every',
      hint: 'Leave `calendar` out for exact elapsed time.',
    });
  }
  const recurrence = normalizeRecurrence(keys, context);
  const anchor =
    keys.anchor === undefined ? {} : { anchor: instantText(keys.anchor, recurrence.timeZone, 'anchor') };
  return {
    type: 'interval',
    every,
    ...anchor,
    ...(mode === 'fixed-delay' ? { mode } : {}),
    ...(calendar ? { calendar } : {}),
    ...recurrence,
  };
}

/** `calendar` may stand beside the parts of the duration as well: `{ days: 1, calendar: true }`. */
function calendarOf(every: unknown, given: unknown): { duration: unknown; calendar: boolean } {
  let duration = every;
  let calendar = given ?? false;
  if (typeof every === 'object' && every !== null && 'calendar' in every) {
    const { calendar: inner, ...parts } = every;
    duration = parts;
    calendar = given ?? inner ?? false;
  }
  if (typeof calendar !== 'boolean') {
    refuse(calendar, 'bad-name', `calendar: ${shown(calendar)} is neither true nor false.`, {
      field: 'calendar',
    });
  }
  return { duration, calendar };
}

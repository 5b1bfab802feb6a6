import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidScheduleError, nextOccurrences, type TriggerInput } from '../../lib/index.js';

/** A rule about days in words of Date, beside its text. */
interface DayRule {
  text: string;
  matches: (date: Date) => boolean;
}

const dayMs = 86_400_000;
const [first, last] = [Date.UTC(2026, 11, 31), Date.UTC(2029, 0, 1)];

function lastOfMonth(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

function isWorkday(date: Date): boolean {
  return date.getUTCDay() % 6 !== 0;
}

/** The working days of a month in the order of their distance from a day; no two are equally far. */
function nearestWorkday(date: Date, day: number): number {
  const length = lastOfMonth(date);
  const working = Array.from({ length }, (_, index) => index + 1).filter((one) =>
    isWorkday(new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), one))),
  );
  return working.sort((a, b) => Math.abs(a - day) - Math.abs(b - day))[0]!;
}

function isoWeek(date: Date): number {
  const thursday = new Date(date.getTime() + (3 - ((date.getUTCDay() + 6) % 7)) * dayMs);
  let week = 1;
  while (new Date(thursday.getTime() - week * 7 * dayMs).getUTCFullYear() === thursday.getUTCFullYear())
    week++;
  return week;
}

const weekdayNames = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const int = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

const dayItem: fc.Arbitrary<DayRule> = fc.oneof(
  int(1, 31).map((n) => ({ text: `${n}`, matches: (date: Date) => date.getUTCDate() === n })),
  fc.tuple(int(1, 31), int(1, 31)).map(([a, b]) => ({
    text: `${Math.min(a, b)}-${Math.max(a, b)}`,
    matches: (date: Date) => date.getUTCDate() >= Math.min(a, b) && date.getUTCDate() <= Math.max(a, b),
  })),
  fc.tuple(int(1, 31), int(1, 31)).map(([a, n]) => ({
    text: `${a}/${n}`,
    matches: (date: Date) => date.getUTCDate() >= a && (date.getUTCDate() - a) % n === 0,
  })),
  fc.constant<DayRule>({ text: 'L', matches: (date: Date) => date.getUTCDate() === lastOfMonth(date) }),
  int(1, 30).map((n) => ({ text: `L-${n}`, matches: (date: Date) => date.getUTCDate() === lastOfMonth(date) - n })),
  fc.constant<DayRule>({ text: 'LW', matches: (date: Date) => date.getUTCDate() === nearestWorkday(date, lastOfMonth(date)) }),
  int(1, 31).map((n) => ({
    text: `${n}W`,
    matches: (date: Date) => n <= lastOfMonth(date) && date.getUTCDate() === nearestWorkday(date, n),
  })),
); // prettier-ignore

const nthItem: fc.Arbitrary<DayRule> = fc.oneof(
  fc.tuple(int(0, 6), int(1, 5)).map(([weekday, k]) => ({
    text: `${weekdayNames[weekday]}#${k}`,
    matches: (date: Date) => date.getUTCDay() === weekday && Math.ceil(date.getUTCDate() / 7) === k,
  })),
  int(0, 6).map((weekday) => ({
    text: `${weekdayNames[weekday]}L`,
    matches: (date: Date) => date.getUTCDay() === weekday && date.getUTCDate() + 7 > lastOfMonth(date),
  })),
);

const weekdayItem: fc.Arbitrary<DayRule> = fc.oneof(
  int(0, 7).map((n) => ({ text: `${n}`, matches: (date: Date) => date.getUTCDay() === n % 7 })),
  fc.tuple(int(0, 7), int(0, 7)).map(([a, b]) => ({
    text: `${Math.min(a, b)}-${Math.max(a, b)}`,
    matches: (date: Date) =>
      [date.getUTCDay(), date.getUTCDay() + 7].some((n) => n >= Math.min(a, b) && n <= Math.max(a, b)),
  })),
  nthItem,
);

function list(item: fc.Arbitrary<DayRule>): fc.Arbitrary<DayRule> {
  return fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => ({
    text: items.map(({ text }) => text).join(','),
    matches: (date: Date) => items.some(({ matches }) => matches(date)),
  }));
}

const every: DayRule = { text: '*', matches: () => true };
const months: fc.Arbitrary<DayRule> = fc.oneof(
  fc.constant(every),
  fc.uniqueArray(int(1, 12), { minLength: 1, maxLength: 4 }).map((values) => ({
    text: values.join(','),
    matches: (date: Date) => values.includes(date.getUTCMonth() + 1),
  })),
);

function check(trigger: TriggerInput, matches: (date: Date) => boolean): void {
  const expected: string[] = [];
  for (let at = first + dayMs; at < last; at += dayMs) {
    if (matches(new Date(at))) expected.push(new Date(at).toISOString());
  }
  let found: string[];
  try {
    const dates = nextOccurrences(trigger, { from: first, count: expected.length + 1 });
    found = dates.filter((date) => date.getTime() < last).map((date) => date.toISOString());
  } catch (error) {
    if (!(error instanceof InvalidScheduleError) || error.reason !== 'never-fires') throw error;
    found = [];
  }
  expect(found).toEqual(expected);
}

describe('the days of a cron agree with a calendar', () => {
  test('as an expression, where day or weekday decide', () => {
    const [days, weekdays] = [
      fc.oneof(fc.constant(every), list(dayItem)),
      fc.oneof(fc.constant(every), list(weekdayItem)),
    ];
    fc.assert(
      fc.property(days, weekdays, months, (day, weekday, month) => {
        check({ type: 'cron', expression: `0 0 ${day.text} ${month.text} ${weekday.text}` }, (date) => {
          const either = day !== every && weekday !== every;
          const onDay = either
            ? day.matches(date) || weekday.matches(date)
            : day.matches(date) && weekday.matches(date);
          return onDay && month.matches(date);
        });
      }),
      { numRuns: 200 },
    );
  });

  test('as a fields object, where all must match', () => {
    const week: fc.Arbitrary<DayRule> = fc.oneof(
      fc.constant(every),
      fc.tuple(int(1, 53), int(1, 53)).map(([a, b]) => ({
        text: `${Math.min(a, b)}-${Math.max(a, b)}`,
        matches: (date: Date) => isoWeek(date) >= Math.min(a, b) && isoWeek(date) <= Math.max(a, b),
      })),
    );
    const words: fc.Arbitrary<DayRule> = fc.oneof(
      fc.tuple(int(0, 6), int(1, 5)).map(([weekday, k]) => ({
        text: `${['1st', '2nd', '3rd', '4th', '5th'][k - 1]} ${weekdayNames[weekday]!.toLowerCase()}`,
        matches: (date: Date) => date.getUTCDay() === weekday && Math.ceil(date.getUTCDate() / 7) === k,
      })),
      int(0, 6).map((weekday) => ({
        text: `last ${weekdayNames[weekday]!.toLowerCase()}`,
        matches: (date: Date) => date.getUTCDay() === weekday && date.getUTCDate() + 7 > lastOfMonth(date),
      })),
      fc.constant<DayRule>({
        text: 'last',
        matches: (date: Date) => date.getUTCDate() === lastOfMonth(date),
      }),
    );
    const byNumber: fc.Arbitrary<DayRule> = fc.tuple(int(0, 6), int(0, 6)).map(([a, b]) => ({
      text: `${Math.min(a, b)}-${Math.max(a, b)}`,
      matches: (date: Date) =>
        (date.getUTCDay() + 6) % 7 >= Math.min(a, b) && (date.getUTCDay() + 6) % 7 <= Math.max(a, b),
    }));
    const days = fc.oneof(fc.constant(every), list(dayItem), list(words));
    const weekdays = fc.oneof(fc.constant(every), list(nthItem), byNumber);
    fc.assert(
      fc.property(days, weekdays, months, week, (day, weekday, month, weeks) => {
        const fields = {
          day: day.text,
          dayOfWeek: weekday.text,
          month: month.text,
          week: weeks.text,
          hour: 0,
        };
        check({ type: 'cron', fields }, (date) =>
          [day, weekday, month, weeks].every(({ matches }) => matches(date)),
        );
      }),
      { numRuns: 200 },
    );
  });
});

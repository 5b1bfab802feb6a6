import { describe, expect, test } from 'vitest';
import { nextOccurrences, type CronFields } from '../../lib/index.js';
import { isoOf } from './vectors/vector.rows.js';

type Row = [fields: Record<string, unknown>, expected: string, zone?: string, from?: string];

/** From 2026-01-01 00:00 UTC, a Thursday, unless the row says otherwise. */
const rows: Row[] = [
  [{ hour: 9, minute: 0 }, '2026-01-01 09:00, 2026-01-02 09:00'],
  [{ hour: 9 }, '2026-01-01 09:00, 2026-01-02 09:00'],
  [{ hour: '9' }, '2026-01-01 09:00'],
  [{ minute: 30 }, '2026-01-01 00:30, 2026-01-01 01:30'],
  [{ minute: '*/20' }, '2026-01-01 00:20, 2026-01-01 00:40, 2026-01-01 01:00'],
  [{ second: 15 }, '2026-01-01 00:00:15, 2026-01-01 00:01:15'],
  [{ second: '*/30' }, '2026-01-01 00:00:30, 2026-01-01 00:01:00'],
  [{ hour: '*' }, '2026-01-01 01:00, 2026-01-01 02:00'],
  [{ hour: '9-17/4', minute: 15 }, '2026-01-01 09:15, 2026-01-01 13:15, 2026-01-01 17:15, 2026-01-02 09:15'],
  [{ day: 15 }, '2026-01-15, 2026-02-15'],
  [{ day: 15, hour: 6 }, '2026-01-15 06:00, 2026-02-15 06:00'],
  [{ month: 5 }, '2026-05-01, 2027-05-01'],
  [{ month: 'mar,nov' }, '2026-03-01, 2026-11-01, 2027-03-01'],
  [{ month: 2, day: 29 }, '2028-02-29, 2032-02-29'],
  [{ year: 2027 }, '2027-01-01'],
  [{ year: '2027-2028', month: 6 }, '2027-06-01, 2028-06-01'],
  [{ year: '*' }, '2027-01-01, 2028-01-01'],
  [{ year: '*', month: '*' }, '2026-02-01, 2026-03-01'],
  [{ year: '*/4', hour: 1 }, '2026-01-01 01:00, 2026-01-02 01:00'],
  // Week and weekday are not cut down to their minimum by what is more significant.
  [{ week: 2 }, '2026-01-05, 2026-01-06, 2026-01-07'],
  [{ week: 1, dayOfWeek: 'mon' }, '2027-01-04, 2028-01-03'],
  [{ week: 53, dayOfWeek: 'fri' }, '2027-01-01, 2032-12-31'],
  [{ week: '1-2', dayOfWeek: 'sun', hour: 8 }, '2026-01-04 08:00, 2026-01-11 08:00, 2027-01-10 08:00'],
  [{ dayOfWeek: 'mon' }, '2026-01-05, 2026-01-12'],
  [{ day_of_week: 'mon', hour: 18, minute: 0 }, '2026-01-05 18:00, 2026-01-12 18:00'],
  [{ dayOfWeek: 0, hour: 9 }, '2026-01-05 09:00, 2026-01-12 09:00'],
  [{ dayOfWeek: 6 }, '2026-01-04, 2026-01-11'],
  [{ dayOfWeek: '5-6' }, '2026-01-03, 2026-01-04, 2026-01-10'],
  [{ dayOfWeek: 'sat-sun' }, '2026-01-03, 2026-01-04, 2026-01-10'],
  [{ dayOfWeek: 'mon-sun' }, '2026-01-02, 2026-01-03, 2026-01-04'],
  [{ dayOfWeek: '*/2' }, '2026-01-02, 2026-01-04, 2026-01-05, 2026-01-07'],
  [{ dayOfWeek: 'fri/1' }, '2026-01-02, 2026-01-03, 2026-01-04, 2026-01-09'],
  [{ dayOfWeek: 'TUE#2' }, '2026-01-13, 2026-02-10'],
  [{ dayOfWeek: 'thuL', hour: 7 }, '2026-01-29 07:00, 2026-02-26 07:00'],
  // All fields must match, also day and weekday.
  [{ day: 13, dayOfWeek: 'fri' }, '2026-02-13, 2026-03-13, 2026-11-13, 2027-08-13'],
  [{ day: '1-7', dayOfWeek: 'mon', hour: 9 }, '2026-01-05 09:00, 2026-02-02 09:00, 2026-03-02 09:00'],
  [{ month: 2, day: 29, dayOfWeek: 'mon' }, '2044-02-29, 2072-02-29'],
  // The words of the day.
  [{ day: 'last' }, '2026-01-31, 2026-02-28, 2026-03-31'],
  [{ day: 'LAST', hour: 23, minute: 59 }, '2026-01-31 23:59, 2026-02-28 23:59'],
  [{ day: '1st mon' }, '2026-01-05, 2026-02-02, 2026-03-02'],
  [{ day: '2nd tue', hour: 3 }, '2026-01-13 03:00, 2026-02-10 03:00'],
  [{ day: '3rd WED' }, '2026-01-21, 2026-02-18'],
  [{ day: '4th thu', month: 11 }, '2026-11-26, 2027-11-25'],
  [{ day: '5th sun' }, '2026-03-29, 2026-05-31, 2026-08-30, 2026-11-29'],
  [{ day: 'last fri' }, '2026-01-30, 2026-02-27, 2026-03-27'],
  [{ day: 'last  sun' }, '2026-01-25, 2026-02-22'],
  [{ day: '1st mon, 3rd mon' }, '2026-01-05, 2026-01-19, 2026-02-02'],
  [{ day: '1,last' }, '2026-01-31, 2026-02-01, 2026-02-28'],
  [{ day: 'LW' }, '2026-01-30, 2026-02-27'],
  [{ day: '15W', hour: 1 }, '2026-01-15 01:00, 2026-02-16 01:00'],
  // Zones and changes of the clocks.
  [{ hour: 9 }, '2026-01-02, 2026-01-03', 'Asia/Seoul', '2026-01-01 00:00'],
  [{ hour: 2, minute: 30 }, '2026-03-08 07:00, 2026-03-09 06:30', 'America/New_York', '2026-03-07 12:00'],
  [{ hour: 1, minute: 30 }, '2026-11-01 05:30, 2026-11-02 06:30', 'America/New_York', '2026-10-31 12:00'],
  [
    { minute: 30 },
    '2026-11-01 05:30, 2026-11-01 06:30, 2026-11-01 07:30',
    'America/New_York',
    '2026-11-01 05:00',
  ],
];

describe('a fields object', () => {
  test.each(rows)('%j', (fields, instants, timeZone = 'UTC', from = '2026-01-01 00:00') => {
    const expected = instants.split(', ').map(isoOf);
    const trigger = { type: 'cron', fields: fields as CronFields } as const;
    const found = nextOccurrences(trigger, { from: isoOf(from), count: expected.length, timeZone });
    expect(found.map((date) => date.toISOString())).toEqual(expected);
  });

  test('fields that are undefined or null are fields that are not given', () => {
    const options = { from: '2026-01-01 00:00', count: 3 };
    const fields = { hour: 9, minute: undefined, second: null, day: undefined } as unknown as CronFields;
    expect(nextOccurrences({ type: 'cron', fields }, options)).toEqual(
      nextOccurrences({ type: 'cron', fields: { hour: 9 } }, options),
    );
  });
});

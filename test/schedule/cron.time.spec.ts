import { createRequire } from 'node:module';
import { CronTime as OtherCronTime } from 'cron';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CronTime } from '../../lib/schedule/index.js';
import { SeededRandom } from '../simulation/seeded.random.js';
import type * as Luxon from 'luxon';
import { complaint, start, stopTime, subjects } from './subjects.js';

// The copy that the cron package knows: it takes no DateTime of another.
const { DateTime } = createRequire(import.meta.url)('luxon') as typeof Luxon;

describe.each(subjects)('a CronTime of $name', ({ cron: { CronTime } }) => {
  beforeEach(() => stopTime());
  afterEach(() => vi.useRealTimers());

  test.each([
    ['', 'Too few fields'],
    ['* * * *', 'Too few fields'],
    ['* * * * * * *', 'Too many fields'],
    ['@every 5m', 'Unknown alias: eve'],
    ['0 0 L * *', 'Unknown alias: l'],
    ['0 0 ? * *', 'Field (dayOfMonth) cannot be parsed'],
    ['60 * * * *', 'Field value (60) is out of range'],
    ['* 24 * * *', 'Field value (24) is out of range'],
    ['* * 0 * *', 'Field value (0) is out of range'],
    ['* * 1-32 * *', 'Field value (1-32) is out of range'],
    ['* * * 13 *', 'Field value (13) is out of range'],
    ['* * * * 8', 'Field value (8) is out of range'],
    ['*,99 * * * *', 'Field value (0-59,99) is out of range'],
    ['99/2 * * * *', 'Field value (99/2) is out of range'],
    ['*/0 * * * *', 'Field (minute) has a step of zero'],
    ['5-1 * * * *', 'Field (minute) has an invalid range'],
    ['* * * * sat-mon', 'Field (dayOfWeek) has an invalid range'],
    ['1* * * * *', 'Field (1*) has an invalid wildcard expression'],
    ['1,5* * * * *', 'Field (5*) has an invalid wildcard expression'],
    ['** * * * *', 'Field (minute) cannot be parsed'],
    ['1,,2 * * * *', 'Field (minute) cannot be parsed'],
    ['-1 * * * *', 'Field (minute) cannot be parsed'],
    ['1.5 * * * *', 'Field (minute) cannot be parsed'],
    ['*/-1 * * * *', 'Field (minute) cannot be parsed'],
  ])('refuses "%s": %s', async (text, message) => {
    expect(await complaint(() => new CronTime(text))).toBe(message);
    const { valid, error } = CronTime.validateCronExpression(text);
    expect([valid, error?.message]).toEqual([false, message]);
  });

  test.each([
    ['* * * * *', '0 * * * * *'],
    ['*/20 1-3 1,15 jan MON-Wed', '0 0,20,40 1,2,3 1,15 1 1,2,3'],
    [' 5/20\t*/90  0-23 *   * 7 ', '5,25,45 0 * * * 0'],
    ['@weekdays', '0 0 0 * * 1,2,3,4,5'],
    ['@SECONDLY', '* * * * * *'],
    ['0 jan mon 1-31 * 0-6', '0 1 1 * * *'],
    ['* * * * 5-7', '0 * * * * 0,5,6'],
    ['01 02 03 04 05 06', '1 2 3 4 5 6'],
  ])('reads "%s" as "%s"', (text, meaning) => {
    expect(CronTime.validateCronExpression(text).valid).toBe(true);
    expect([new CronTime(text).toString(), new CronTime(text).source]).toEqual([meaning, text]);
  });

  test.each([
    [null, null, Intl.DateTimeFormat().resolvedOptions().timeZone],
    ['Asia/Seoul', null, 'Asia/Seoul'],
    ['UTC+9', null, 'UTC+9'],
    ['EST', null, 'EST'],
    ['', null, 'UTC'],
    [null, 540, 'UTC+9'],
    [null, -30, 'UTC-0:30'],
    [null, 345, 'UTC+5:45'],
    [null, 0, 'UTC'],
    [null, '60', 'UTC+1'],
  ])('is in the zone %j, at the offset %j', (timeZone, offset, name) => {
    const next = new CronTime('30 4 * * *', timeZone, offset as number).sendAt();
    expect([next.zoneName, next.hour, next.minute, next.toMillis() > start]).toEqual([name, 4, 30, true]);
  });

  test('refuses zones and offsets that there are not', async () => {
    expect(await complaint(() => new CronTime('* * * * *', 'Mars/Crater'))).toBe('Invalid timezone.');
    expect(await complaint(() => new CronTime('* * * * *', 'UTC', 0 as never))).toBe(
      "You can't specify both timeZone and utcOffset",
    );
    for (const offset of [NaN, 1.5, 60_000, '+09:00' as never]) {
      expect(await complaint(() => new CronTime('* * * * *', null, offset).sendAt())).toBe(
        'ERROR: You specified an invalid UTC offset.',
      );
    }
  });

  test('takes dates, which are sent once', async () => {
    const date = new CronTime(new Date(start + 1_500));
    expect([date.realDate, date.sendAt().toMillis(), date.getTimeout()]).toEqual([
      true,
      start + 1_500,
      1_500,
    ]);
    expect((date.sendAt(3) as unknown as Luxon.DateTime).toMillis()).toBe(start + 1_500);
    const luxon = DateTime.fromMillis(start + 9_000, { zone: 'Asia/Seoul' });
    expect(new CronTime(luxon, 'Europe/Lisbon').sendAt().toISO()).toBe('2026-03-10T10:00:09.000+00:00');
    expect(new CronTime(luxon).source).toBe(luxon);
  });

  test('counts seconds strictly after now', async () => {
    const time = new CronTime('* * * * * *', 'UTC');
    for (const [ms, expected] of [
      [0, 1_000],
      [1, 999],
      [999, 1],
    ] as const) {
      vi.setSystemTime(start + ms);
      expect(time.getTimeout()).toBe(expected);
    }
    expect(time.getNextDateFrom(new Date(start + 400), 'Asia/Seoul').toISO()).toBe(
      '2026-03-10T19:00:01.000+09:00',
    );
    expect(await complaint(() => time.getNextDateFrom(new Date(NaN)))).toBe(
      'ERROR: You specified an invalid date.',
    );
    expect(time.sendAt(2).map((date) => date.toMillis() - start)).toEqual([1_000, 2_000]);
    expect([time.sendAt(0), time.realDate]).toEqual([[], false]);
  });

  test('says so when there is no next instant', async () => {
    const never = new CronTime('0 0 30 2 *');
    expect(await complaint(() => never.sendAt())).toMatch(
      /^Something went wrong\. No execution date was found in the next 8 years\./,
    );
  });
});

describe('away from changes of the clocks, instants and errors are those of the cron package', () => {
  const random = new SeededRandom(2026);
  const number = (from: number, to: number): number => random.between(from, to);
  const odd = [
    '',
    'x',
    '-',
    '1-',
    '/2',
    '*/',
    '**',
    '5*',
    '?',
    'L',
    '00',
    '7-7',
    '0-7/3',
    'sun',
    'JAN',
    '*,3',
  ];

  /** One item of a field; steps may be wider than the field, and some items are none. */
  function item(from: number, to: number): string {
    if (random.chance(0.03)) return random.pick(odd);
    const low = number(from, to);
    const high = number(low, to);
    const step = number(1, to + 5);
    const ranges = [`${low}-${high}`, `*/${step}`, `${low}/${step}`, `${low}-${high}/${step}`];
    return random.pick(['*', '*', `${low}`, `${low}`, ...ranges]);
  }

  function field(from: number, to: number): string {
    return Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => item(from, to)).join(',');
  }

  function expression(): string {
    const days = [field(1, 31), field(1, 12), field(0, 7)].map((text) => (random.chance(0.4) ? '*' : text));
    return [field(0, 59), field(0, 59), field(0, 23), ...days].slice(number(0, 1)).join(' ');
  }

  function outcome(Time: typeof CronTime, text: string, timeZone: string | null, offset: number | null) {
    try {
      return new Time(text, timeZone, offset).sendAt(3).map((date) => date.toISO());
    } catch (error) {
      return (error as Error).message.split('\n')[0]!.slice(0, 78);
    }
  }

  afterAll(() => vi.useRealTimers());

  test.each([
    ['UTC', null],
    ['Asia/Seoul', null],
    ['Asia/Kolkata', null],
    ['Australia/Brisbane', null],
    [null, -570],
  ])('in the zone %s, at the offset %s', (timeZone, offset) => {
    stopTime();
    for (let i = 0; i < 150; i++) {
      const text = expression();
      const from = Date.UTC(
        number(2020, 2040),
        number(0, 11),
        number(1, 28),
        0,
        0,
        number(0, 86_399),
        number(0, 999),
      );
      vi.setSystemTime(from);
      const asked = { text, from: new Date(from).toISOString() };
      expect({ ...asked, found: outcome(CronTime, text, timeZone, offset) }).toEqual({
        ...asked,
        found: outcome(OtherCronTime as never, text, timeZone, offset),
      });
    }
  });
});

describe('at changes of the clocks, the instants are those of the reference of schedules', () => {
  afterAll(() => vi.useRealTimers());

  test.each([
    [
      '30 2 * * *',
      '2026-03-08T06:00:00Z',
      ['2026-03-08T03:00:00.000-04:00', '2026-03-09T02:30:00.000-04:00'],
    ],
    [
      '*/30 2 * * *',
      '2026-03-08T06:00:00Z',
      ['2026-03-09T02:00:00.000-04:00', '2026-03-09T02:30:00.000-04:00'],
    ],
    [
      '30 1 * * *',
      '2026-11-01T04:00:00Z',
      ['2026-11-01T01:30:00.000-04:00', '2026-11-02T01:30:00.000-05:00'],
    ],
    [
      '*/30 1 * * *',
      '2026-11-01T05:10:00Z',
      ['2026-11-01T01:30:00.000-04:00', '2026-11-01T01:00:00.000-05:00'],
    ],
    [
      '*/90 1 * * *',
      '2026-11-01T04:10:00Z',
      ['2026-11-01T01:00:00.000-04:00', '2026-11-01T01:00:00.000-05:00'],
    ],
  ])('%s after %s', (text, from, expected) => {
    stopTime(Date.parse(from));
    expect(new CronTime(text, 'America/New_York').sendAt(2).map((date) => date.toISO())).toEqual(expected);
  });
});

test('a month that is full counts as unrestricted, however it is written', () => {
  stopTime();
  const next = (text: string): string => new CronTime(text, 'UTC').sendAt().toISODate()!;
  for (const day of ['*', '*/1', '1-31', '1-15,16-31']) expect(next(`0 0 ${day} * 5`)).toBe('2026-03-13');
  expect(next('0 0 */2 * 5')).toBe('2026-03-11');
  vi.useRealTimers();
});

test('refuses what is no schedule', async () => {
  for (const source of [undefined, null, 5, {}, new Date(NaN)]) {
    expect(await complaint(() => new CronTime(source as never))).toMatch(/^cronTime /);
  }
});

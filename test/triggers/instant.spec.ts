import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import { nextOccurrences, parseAt } from '../../lib/index.js';
import { isoOf } from './vectors/vector.rows.js';

const rows: [text: string, zone: string, expected: string][] = [
  ['2025-11-08 10:00:00', 'Asia/Seoul', '2025-11-08 01:00'],
  ['2025-11-08T10:00:00', 'Asia/Seoul', '2025-11-08 01:00'],
  ['2025-11-08 10:00', 'Asia/Seoul', '2025-11-08 01:00'],
  ['2025-11-08 10:00', 'UTC', '2025-11-08 10:00'],
  ['2025-11-08T10:00:00Z', 'Asia/Seoul', '2025-11-08 10:00'],
  ['2025-11-08 10:00Z', 'Asia/Seoul', '2025-11-08 10:00'],
  ['2025-11-08T10:00:00+09:00', 'America/New_York', '2025-11-08 01:00'],
  ['2025-11-08T10:00:00-03:30', 'UTC', '2025-11-08 13:30'],
  ['2025-11-08T10:00+00:00', 'Asia/Seoul', '2025-11-08 10:00'],
  ['2025-11-08T10:00-00:00', 'Asia/Seoul', '2025-11-08 10:00'],
  ['2024-02-29 23:59:59', 'UTC', '2024-02-29 23:59:59'],
  ['2000-02-29 00:00', 'UTC', '2000-02-29 00:00'],
  ['1999-12-31 23:59:59', 'Asia/Kathmandu', '1999-12-31 18:14:59'],
  ['9999-12-31 23:59:59', 'UTC', '9999-12-31 23:59:59'],
  // The clocks go forward over it: the later reading, which is the same minutes after the gap.
  ['2026-03-08 02:30', 'America/New_York', '2026-03-08 07:30'],
  ['2026-03-08 02:00', 'America/New_York', '2026-03-08 07:00'],
  ['2026-03-08 03:00', 'America/New_York', '2026-03-08 07:00'],
  ['2026-03-08 01:59:59', 'America/New_York', '2026-03-08 06:59:59'],
  ['2026-10-04 02:15', 'Australia/Lord_Howe', '2026-10-03 15:45'],
  ['2026-09-27 03:00', 'Pacific/Chatham', '2026-09-26 14:15'],
  ['2026-03-28 23:30', 'America/Nuuk', '2026-03-29 01:30'],
  ['2011-12-30 12:00', 'Pacific/Apia', '2011-12-30 22:00'],
  // It exists twice: the first.
  ['2026-11-01 01:30', 'America/New_York', '2026-11-01 05:30'],
  ['2026-11-01 01:00', 'America/New_York', '2026-11-01 05:00'],
  ['2026-11-01 02:00', 'America/New_York', '2026-11-01 07:00'],
  ['2026-10-25 02:30', 'Europe/Berlin', '2026-10-25 00:30'],
  ['2026-04-05 01:45', 'Australia/Lord_Howe', '2026-04-04 14:45'],
  ['2026-10-24 23:30', 'Asia/Beirut', '2026-10-24 20:30'],
  ['2025-11-08T10:00:00+0900', 'America/New_York', '2025-11-08 01:00'],
  ['2025-11-08t10:00:00z', 'Asia/Seoul', '2025-11-08 10:00'],
  ['2025-11-08', 'UTC', '2025-11-08 00:00'],
  ['2025-11-08', 'Asia/Seoul', '2025-11-07 15:00'],
  // Its clocks go forward over midnight.
  ['2026-09-06', 'America/Santiago', '2026-09-06 04:00'],
  ['2025-11-08T10:00[Asia/Seoul]', 'America/New_York', '2025-11-08 01:00'],
  ['2025-11-08[Asia/Seoul]', 'America/New_York', '2025-11-07 15:00'],
  ['2025-11-08T10:00:00+09:00[Asia/Seoul]', 'America/New_York', '2025-11-08 01:00'],
  ['2025-11-08T10:00:00Z[Asia/Seoul]', 'America/New_York', '2025-11-08 10:00'],
  ['2025-11-08T10:00[!asia/seoul]', 'America/New_York', '2025-11-08 01:00'],
  // The offset says which of the two.
  ['2026-11-01T01:30:00-05:00[America/New_York]', 'UTC', '2026-11-01 06:30'],
  ['2026-11-01T01:30:00-04:00[America/New_York]', 'UTC', '2026-11-01 05:30'],
  // With an offset it is exact.
  ['2026-11-01T01:30:00-05:00', 'America/New_York', '2026-11-01 06:30'],
];

describe('parseAt', () => {
  test.each(rows)('%s in %s', (text, zone, expected) => {
    expect(parseAt(text, zone).toISOString()).toBe(isoOf(expected));
  });

  test.each([
    ['2025-11-08 10:00:00.5', 500],
    ['2025-11-08 10:00:00.05', 50],
    ['2025-11-08T10:00:00.123456Z', 123],
    ['2025-11-08 10:00:00.999999999', 999],
  ])('reads the fraction of a second, to the millisecond: %s', (text, ms) => {
    expect(parseAt(text, 'UTC').getTime()).toBe(Date.UTC(2025, 10, 8, 10, 0, 0, ms));
  });

  test('says of a number that can only be seconds what to do', () => {
    expect(() => parseAt(1_762_563_600, 'UTC')).toThrow(
      'at: 1762563600 can only be seconds; a number is epoch milliseconds. Multiply it by 1000.',
    );
    expect(parseAt(1_762_563_600_000, 'UTC')).toEqual(new Date('2025-11-08T01:00:00Z'));
    expect(parseAt(new Date(1_762_563_600), 'UTC').getTime()).toBe(1_762_563_600);
  });

  test('keeps milliseconds', () => {
    expect(parseAt('2025-11-08T10:00:00.123Z', 'UTC').toISOString()).toBe('2025-11-08T10:00:00.123Z');
    expect(parseAt('2025-11-08 10:00:00.007', 'Asia/Seoul').toISOString()).toBe('2025-11-08T01:00:00.007Z');
  });

  test('takes a Date, epoch milliseconds and a luxon DateTime', () => {
    const instant = Date.UTC(2025, 10, 8, 10);
    expect(parseAt(new Date(instant), 'Asia/Seoul').getTime()).toBe(instant);
    expect(parseAt(instant, 'Asia/Seoul').getTime()).toBe(instant);
    expect(parseAt(0, 'Asia/Seoul').getTime()).toBe(0);
    expect(parseAt(DateTime.fromMillis(instant), 'Asia/Seoul').getTime()).toBe(instant);
    expect(parseAt(instant + 0.7, 'UTC').getTime()).toBe(instant);
  });

  test('gives a Date of its own', () => {
    const given = new Date(5);
    expect(parseAt(given, 'UTC')).not.toBe(given);
  });
});

describe('a one-off', () => {
  const at = { type: 'at', at: '2025-11-08 10:00:00', timeZone: 'Asia/Seoul' } as const;

  test('has one instant, in the zone of the trigger', () => {
    expect(nextOccurrences(at, { from: 0, count: 5 })).toEqual([new Date('2025-11-08T01:00:00Z')]);
  });

  test('has none after it', () => {
    expect(nextOccurrences(at, { from: '2025-11-08T01:00:00Z', count: 5 })).toEqual([]);
  });

  test('is read in the default zone when it names none', () => {
    const found = nextOccurrences(
      { type: 'at', at: '2025-11-08 10:00:00' },
      { from: 0, timeZone: 'America/New_York' },
    );
    expect(found).toEqual([new Date('2025-11-08T15:00:00Z')]);
  });
});

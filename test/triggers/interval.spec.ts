import { describe, expect, test } from 'vitest';
import { nextOccurrences, previousOccurrences, type TriggerInput } from '../../lib/index.js';
import { isoOf } from './vectors/vector.rows.js';

type Interval = Partial<Extract<TriggerInput, { type: 'interval' }>>;
type Row = [title: string, interval: Interval, from: string, expected: string];

const rows: Row[] = [
  ['milliseconds', { every: 90_000, anchor: '2026-01-01 00:00' }, '2026-01-01 00:00', '2026-01-01 00:01:30, 2026-01-01 00:03:00'],
  ['text', { every: '90s', anchor: '2026-01-01 00:00' }, '2026-01-01 00:00', '2026-01-01 00:01:30, 2026-01-01 00:03:00'],
  ['ISO 8601', { every: 'PT5M', anchor: '2026-01-01 00:00' }, '2026-01-01 00:01', '2026-01-01 00:05, 2026-01-01 00:10'],
  ['parts', { every: { hours: 1, minutes: 30 }, anchor: '2026-01-01 00:00' }, '2026-01-01 00:00', '2026-01-01 01:30, 2026-01-01 03:00'],
  ['the grid is not moved by the question', { every: '5m', anchor: '2026-01-01 00:02' }, '2026-01-01 01:03:17', '2026-01-01 01:07, 2026-01-01 01:12'],
  ['strictly after', { every: '5m', anchor: '2026-01-01 00:00' }, '2026-01-01 00:05', '2026-01-01 00:10'],
  ['just before', { every: '5m', anchor: '2026-01-01 00:00' }, '2026-01-01 00:04:59', '2026-01-01 00:05'],
  ['the anchor itself is the first', { every: '5m', anchor: '2026-01-01 00:00' }, '2025-12-31 23:59:59', '2026-01-01 00:00, 2026-01-01 00:05'],
  ['nothing before the anchor', { every: '5m', anchor: '2026-01-01 00:00' }, '2025-12-01 00:00', '2026-01-01 00:00, 2026-01-01 00:05'],
  ['an anchor long ago', { every: '1h', anchor: '1999-12-31 23:30' }, '2026-06-01 00:00', '2026-06-01 00:30, 2026-06-01 01:30'],
  ['no anchor: from the question on', { every: '5m' }, '2026-01-01 00:01:07', '2026-01-01 00:06:07, 2026-01-01 00:11:07'],
  ['startAt is the anchor', { every: '5m', startAt: '2026-01-01 00:02' }, '2025-06-01 00:00', '2026-01-01 00:02, 2026-01-01 00:07'],
  ['an anchor and a later start', { every: '5m', anchor: '2026-01-01 00:01', startAt: '2026-01-01 01:00' }, '2026-01-01 00:00', '2026-01-01 01:01, 2026-01-01 01:06'],
  ['until endAt, which still fires', { every: '5m', anchor: '2026-01-01 00:00', endAt: '2026-01-01 00:10' }, '2026-01-01 00:00', '2026-01-01 00:05, 2026-01-01 00:10'],
  ['weeks are 168 hours', { every: '1w', anchor: '2026-03-05 12:00' }, '2026-03-05 12:00', '2026-03-12 12:00, 2026-03-19 12:00'],
]; // prettier-ignore

const newYork: Row[] = [
  // 2026-03-08 02:00 becomes 03:00 (07:00Z), 2026-11-01 02:00 becomes 01:00 (06:00Z).
  ['days are 24 hours, whatever the clocks do', { every: '1d', anchor: '2026-03-07 09:00' }, '2026-03-07 14:00', '2026-03-08 14:00, 2026-03-09 14:00'],
  ['a day by the calendar keeps the wall time', { every: { days: 1 }, calendar: true, anchor: '2026-03-07 09:00' }, '2026-03-07 14:00', '2026-03-08 13:00, 2026-03-09 13:00'],
  ['`calendar` beside the parts', { every: { days: 1, calendar: true } as never, anchor: '2026-03-07 09:00' }, '2026-03-07 14:00', '2026-03-08 13:00'],
  ['two days by the calendar', { every: '2d', calendar: true, anchor: '2026-03-06 09:00' }, '2026-03-06 14:00', '2026-03-08 13:00, 2026-03-10 13:00'],
  ['a week by the calendar', { every: '1w', calendar: true, anchor: '2026-03-04 09:00' }, '2026-03-04 14:00', '2026-03-11 13:00, 2026-03-18 13:00'],
  ['a wall time that does not exist runs after the gap', { every: '1d', calendar: true, anchor: '2026-03-07 02:30' }, '2026-03-07 12:00', '2026-03-08 07:00, 2026-03-09 06:30'],
  ['a wall time that exists twice runs in the first pass', { every: '1d', calendar: true, anchor: '2026-10-31 01:30' }, '2026-10-31 12:00', '2026-11-01 05:30, 2026-11-02 06:30'],
  ['the past is not forgotten', { every: '3d', calendar: true, anchor: '2025-01-01 09:00' }, '2026-03-07 12:00', '2026-03-09 13:00, 2026-03-12 13:00'],
]; // prettier-ignore

function inZone(timeZone: string) {
  return (_title: string, interval: Interval, from: string, instants: string): void => {
    const expected = instants.split(', ').map(isoOf);
    const trigger = { type: 'interval', ...interval, timeZone } as TriggerInput;
    const options = { from: isoOf(from), count: expected.length };
    expect(nextOccurrences(trigger, options).map((date) => date.toISOString())).toEqual(expected);
  };
}

describe('an interval', () => {
  test.each(rows)('%s', inZone('UTC'));

  test('counts milliseconds exactly, without drift', () => {
    const trigger: TriggerInput = { type: 'interval', every: 1_234, anchor: 1_000_000_000_007 };
    const found = nextOccurrences(trigger, { from: 1_000_000_000_007, count: 1_000 });
    expect(found.at(-1)!.getTime()).toBe(1_000_000_000_007 + 1_234_000);
  });

  test('goes backwards to its anchor and not further', () => {
    const trigger: TriggerInput = { type: 'interval', every: '5m', anchor: '2026-01-01T00:00:00Z' };
    const found = previousOccurrences(trigger, { from: '2026-01-01T00:12:00Z', count: 9 });
    expect(found.map((date) => date.toISOString().slice(11, 16))).toEqual(['00:10', '00:05', '00:00']);
  });

  test('with a fixed delay knows its first time, and supposes runs that take no time after it', () => {
    const trigger: TriggerInput = {
      type: 'interval',
      every: '5m',
      mode: 'fixed-delay',
      anchor: '2026-01-01T00:00:00Z',
    };
    const found = nextOccurrences(trigger, { from: '2025-12-31T00:00:00Z', count: 3 });
    expect(found.map((date) => date.toISOString().slice(0, 16))).toEqual([
      '2026-01-01T00:00',
      '2026-01-01T00:05',
      '2026-01-01T00:10',
    ]);
    expect(previousOccurrences(trigger, { from: '2026-02-01T00:00:00Z', count: 3 })).toEqual([]);
  });

  test('ends with maxRuns', () => {
    const trigger: TriggerInput = { type: 'interval', every: '5m', maxRuns: 3 };
    expect(nextOccurrences(trigger, { from: 0, count: 10 })).toHaveLength(3);
  });
});

describe('an interval in New York', () => {
  test.each(newYork)('%s', inZone('America/New_York'));

  test('by the calendar comes out backwards as it does forwards', () => {
    for (const anchor of ['2026-03-01 02:30', '2026-10-20 01:30']) {
      const trigger: TriggerInput = {
        type: 'interval',
        every: '1d',
        calendar: true,
        anchor,
        timeZone: 'America/New_York',
      };
      const forth = nextOccurrences(trigger, { from: '2026-01-01T00:00:00Z', count: 30 });
      const back = previousOccurrences(trigger, { from: new Date(forth.at(-1)!.getTime() + 1), count: 99 });
      expect(back.reverse()).toEqual(forth);
    }
  });
});

test('a day that the calendar of Samoa left out is left out', () => {
  const trigger: TriggerInput = {
    type: 'interval',
    every: '1d',
    calendar: true,
    anchor: '2011-12-28 12:00',
    timeZone: 'Pacific/Apia',
  };
  const found = nextOccurrences(trigger, { from: '2011-12-28T23:00:00Z', count: 3 });
  expect(found.map((date) => date.toISOString().slice(0, 16))).toEqual([
    '2011-12-29T22:00',
    '2011-12-30T22:00',
    '2011-12-31T22:00',
  ]);
});

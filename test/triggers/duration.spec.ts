import { describe, expect, test } from 'vitest';
import { parseDuration, type DurationInput } from '../../lib/index.js';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const rows: [input: DurationInput, ms: number][] = [
  [1, 1],
  [500, 500],
  [86_400_000, day],
  ['90s', 90 * second],
  ['5m', 5 * minute],
  ['1h30m', 90 * minute],
  ['2d', 2 * day],
  ['1w', 7 * day],
  ['500ms', 500],
  ['1s500ms', 1_500],
  ['1w2d3h4m5s', 9 * day + 3 * hour + 4 * minute + 5 * second],
  ['1.5h', 90 * minute],
  ['0.1s', 100],
  ['1h0m30s', hour + 30 * second],
  ['007m', 7 * minute],
  ['36525d', 36_525 * day],
  ['PT5M', 5 * minute],
  ['PT90S', 90 * second],
  ['PT1H30M', 90 * minute],
  ['P1D', day],
  ['P1DT12H', 36 * hour],
  ['P2W', 14 * day],
  ['PT0.5S', 500],
  ['PT1,5H', 90 * minute],
  ['P1W1DT1H1M1S', 8 * day + hour + minute + second],
  ['5 minutes', 5 * minute],
  ['1 minute', minute],
  ['1 day 2 hours', 26 * hour],
  ['90 sec', 90 * second],
  ['2 wks 1 DAY 3 hrs 4 mins 5 Seconds 6 milliseconds', 15 * day + 3 * hour + 4 * minute + 5 * second + 6],
  ['1  hour  30   min', 90 * minute],
  ['1.5 hours', 90 * minute],
  ['250 msec', 250],
  [{ minutes: 5 }, 5 * minute],
  [{ hours: 1, minutes: 30 }, 90 * minute],
  [
    { weeks: 1, days: 1, hours: 1, minutes: 1, seconds: 1, milliseconds: 1 },
    8 * day + hour + minute + second + 1,
  ],
  [{ hours: 1, minutes: 0 }, hour],
  [{ minutes: 0.5 }, 30 * second],
  [{ seconds: 90 }, 90 * second],
  [{ minutes: 5, hours: undefined }, 5 * minute],
];

describe('parseDuration', () => {
  test.each(rows)('%j', (input, ms) => {
    expect(parseDuration(input)).toBe(ms);
  });
});

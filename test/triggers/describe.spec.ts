import { describe as suite, expect, test } from 'vitest';
import { describe, InvalidScheduleError, type TriggerInput } from '../../lib/index.js';

const crons: [expression: string, sentence: string][] = [
  ['0 9 * * 1-5', 'At 09:00 in Asia/Seoul, Monday to Friday'],
  ['0 9 * * *', 'At 09:00 in Asia/Seoul, every day'],
  ['* * * * *', 'Every minute in Asia/Seoul'],
  ['*/15 * * * *', 'Every 15 minutes in Asia/Seoul'],
  ['*/10 * * * * *', 'Every 10 seconds in Asia/Seoul'],
  ['* * * * * *', 'Every second in Asia/Seoul'],
  ['*/15 9-17 * * MON-FRI', 'Every 15 minutes from 09:00 to 17:59 in Asia/Seoul, Monday to Friday'],
  ['*/7 * * * *', 'Every 7 minutes from minute 0 to 56 of every hour in Asia/Seoul'],
  ['30 * * * *', 'At minute 30 of every hour in Asia/Seoul'],
  ['5,10 * * * *', 'At minutes 5 and 10 of every hour in Asia/Seoul'],
  ['0 8,12,18 * * *', 'At 08:00, 12:00 and 18:00 in Asia/Seoul, every day'],
  ['10 30 2 * * *', 'At 02:30:10 in Asia/Seoul, every day'],
  ['0 0 * * 0,6', 'At 00:00 in Asia/Seoul, on Saturday and Sunday'],
  ['5 4 * * SUN', 'At 04:05 in Asia/Seoul, on Sundays'],
  ['0 0 1 1 *', 'At 00:00 in Asia/Seoul, on the 1st of January'],
  ['0 0 1,15 * *', 'At 00:00 in Asia/Seoul, on the 1st and 15th of the month'],
  ['0 0 22,23 * *', 'At 00:00 in Asia/Seoul, on the 22nd and 23rd of the month'],
  ['0 0 L * *', 'At 00:00 in Asia/Seoul, on the last day of the month'],
  ['0 0 L-2 * *', 'At 00:00 in Asia/Seoul, on the 3rd last day of the month'],
  ['0 0 LW * *', 'At 00:00 in Asia/Seoul, on the last working day of the month'],
  ['0 0 15W * *', 'At 00:00 in Asia/Seoul, on the working day nearest to the 15th of the month'],
  ['0 0 * * FRI#2', 'At 00:00 in Asia/Seoul, on the second Friday of the month'],
  ['0 0 * * MONL', 'At 00:00 in Asia/Seoul, on the last Monday of the month'],
  ['0 0 13 * FRI', 'At 00:00 in Asia/Seoul, on the 13th of the month, and also on Fridays'],
  ['0 0 * 1-3,6 *', 'At 00:00 in Asia/Seoul, in January to March and June'],
  ['0 0 0 29 2 ? 2028', 'At 00:00 in Asia/Seoul, on the 29th of February, in 2028'],
  ['@weekly', 'At 00:00 in Asia/Seoul, on Sundays'],
  ['@every 90s', 'Every 1 minute 30 seconds'],
]; // prettier-ignore

const others: [trigger: TriggerInput, sentence: string][] = [
  [{ type: 'interval', every: '5m' }, 'Every 5 minutes'],
  [{ type: 'interval', every: '1h' }, 'Every hour'],
  [{ type: 'interval', every: '1d', calendar: true, anchor: '2026-01-01 09:00' }, 'Every day at 09:00 in Asia/Seoul, by the calendar'],
  [{ type: 'interval', every: '5m', mode: 'fixed-delay' }, '5 minutes after the end of the previous run'],
  [{ type: 'at', at: '2025-11-08 10:00:00' }, 'Once at 2025-11-08 10:00 in Asia/Seoul'],
  [{ type: 'after', jobs: ['load'] }, 'When "load" has succeeded'],
  [{ type: 'after', jobs: ['a', 'b', 'c'], need: 2 }, 'When 2 of "a", "b" and "c" have succeeded'],
  [{ type: 'after', jobs: ['load', 'check'], delay: 60_000 }, '1 minute after the moment when "load" and "check" have succeeded'],
  [{ type: 'manual' }, 'Only when it is started by hand'],
  [{ type: 'cron', fields: { day: 13, dayOfWeek: 'fri', hour: 9 } }, 'At 09:00 in Asia/Seoul, on the 13th of the month, if it is Friday'],
  [{ type: 'cron', fields: { day: '1-7', dayOfWeek: 'sat,sun', hour: 9 } }, 'At 09:00 in Asia/Seoul, on the 1st to 7th of the month, if it is Saturday or Sunday'],
  [{ type: 'cron', fields: { week: 5, hour: 9 } }, 'At 09:00 in Asia/Seoul, in ISO week 5'],
  [{ type: 'cron', fields: { day: 'last fri', hour: 9 } }, 'At 09:00 in Asia/Seoul, on the last Friday of the month'],
  [{ type: 'cron', expression: '0 9 * * *', timeZone: 'UTC' }, 'At 09:00 in UTC, every day'],
  [{ type: 'cron', expression: '0 9 * * *', maxRuns: 3, jitter: '30s' }, 'At 09:00 in Asia/Seoul, every day, 3 times, up to 30 seconds later'],
  [
    { type: 'cron', expression: '0 9 * * *', startAt: '2026-01-01 00:00', endAt: '2026-12-31 23:59' },
    'At 09:00 in Asia/Seoul, every day, from 2026-01-01 00:00 in Asia/Seoul, until 2026-12-31 23:59 in Asia/Seoul',
  ],
  [
    { type: 'cron', expression: '0 9 * * *', exclude: [{ weekdays: [6, 0] }, { dates: ['2026-01-01'] }, { calendar: 'holidays' }] },
    'At 09:00 in Asia/Seoul, every day, except on Saturday and Sunday, on 2026-01-01 or on days of the calendar "holidays"',
  ],
]; // prettier-ignore

suite('describe', () => {
  test.each(crons)('%s', (expression, sentence) => {
    expect(describe({ type: 'cron', expression }, { timeZone: 'Asia/Seoul' })).toBe(sentence);
  });

  test.each(others)('%j', (trigger, sentence) => {
    expect(describe(trigger, { timeZone: 'Asia/Seoul' })).toBe(sentence);
  });

  test('refuses what is not a trigger', () => {
    expect(() => describe({ type: 'cron', expression: '' })).toThrow(InvalidScheduleError);
  });
});

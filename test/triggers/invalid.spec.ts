import { describe, expect, test } from 'vitest';
import {
  assertTimeZone,
  InvalidScheduleError,
  nextOccurrences,
  parseAt,
  parseDuration,
  type ScheduleErrorReason,
  type TriggerInput,
} from '../../lib/index.js';
import { invalidExpressions } from './vectors/invalid.cron.js';

function refusal(call: () => unknown): InvalidScheduleError {
  try {
    call();
  } catch (error) {
    if (error instanceof InvalidScheduleError) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

function refusedTrigger(trigger: unknown): InvalidScheduleError {
  return refusal(() => nextOccurrences(trigger as TriggerInput, { from: '2026-01-01T00:00:00Z' }));
}

const expressions = invalidExpressions
  .split('\n')
  .slice(1, -1)
  .map((line) => line.split('|') as [string, ScheduleErrorReason, string]);

describe('a cron expression is refused', () => {
  test.each(expressions)('"%s": %s at %s', (expression, reason, position) => {
    const error = refusedTrigger({ type: 'cron', expression });
    expect(error.reason).toBe(reason);
    if (position !== '') expect(error.position).toBe(Number(position));
    expect(error.code).toBe('CHRONIS_INVALID_SCHEDULE');
    expect(error.input).toBe(expression);
  });

  test('when other white space separates its fields', () => {
    for (const space of ['\n', '\r\n', '\u00a0', '\u2003', '\v']) {
      expect(refusedTrigger({ type: 'cron', expression: `0${space}9 * * * *` }).reason).toBe('bad-name');
    }
  });

  test('when it is too long or has too many terms', () => {
    expect(refusedTrigger({ type: 'cron', expression: `${'1,'.repeat(5_000)}1 * * * *` }).reason).toBe(
      'out-of-range',
    );
    expect(refusedTrigger({ type: 'cron', expression: `${'1,'.repeat(600)}1 * * * *` }).reason).toBe(
      'out-of-range',
    );
  });

  test('and the error names field, position and remedy', () => {
    const error = refusedTrigger({ type: 'cron', expression: '0 */90 * * *' });
    expect(error).toMatchObject({ field: 'hour', position: 4, reason: 'bad-step' });
    expect(error.hint).toMatch(/interval of 90 hours/);
    expect(refusedTrigger({ type: 'cron', expression: '*/90 * * * *' }).hint).toMatch(
      /interval of 90 minutes/,
    );
    expect(refusedTrigger({ type: 'cron', expression: '@reboot' }).hint).toMatch(/onApplicationBootstrap/);
    expect(refusedTrigger({ type: 'cron', expression: '0 0 * * MONDAY' }).message).toMatch(
      /Did you mean "MON"/,
    );
    expect(refusedTrigger({ type: 'cron', expression: '@dayly' }).hint).toMatch(/"@daily"/);
  });
});

const fields: [fields: unknown, reason: ScheduleErrorReason, field?: string][] = [
  [{}, 'empty'],
  [{ hour: undefined }, 'empty'],
  [[], 'empty'],
  ['9', 'empty'],
  [{ hour: '' }, 'empty', 'hour'],
  [{ hour: '  ' }, 'empty', 'hour'],
  [{ hour: '9,' }, 'empty', 'hour'],
  [{ hour: 24 }, 'out-of-range', 'hour'],
  [{ hour: -1 }, 'out-of-range', 'hour'],
  [{ hour: 9.5 }, 'out-of-range', 'hour'],
  [{ hour: Number.NaN }, 'out-of-range', 'hour'],
  [{ hour: Infinity }, 'out-of-range', 'hour'],
  [{ minute: 60 }, 'out-of-range', 'minute'],
  [{ second: 60 }, 'out-of-range', 'second'],
  [{ day: 0 }, 'out-of-range', 'day'],
  [{ day: 32 }, 'out-of-range', 'day'],
  [{ month: 13 }, 'out-of-range', 'month'],
  [{ week: 0 }, 'out-of-range', 'week'],
  [{ week: 54 }, 'out-of-range', 'week'],
  [{ dayOfWeek: 7 }, 'out-of-range', 'dayOfWeek'],
  [{ day_of_week: 7 }, 'out-of-range', 'dayOfWeek'],
  [{ dayOfWeek: '0-7' }, 'out-of-range', 'dayOfWeek'],
  [{ year: 1969 }, 'out-of-range', 'year'],
  [{ year: 10_000 }, 'out-of-range', 'year'],
  [{ year: 1e21 }, 'out-of-range', 'year'],
  [{ hour: '9-5' }, 'reversed-range', 'hour'],
  [{ dayOfWeek: 'sun-mon' }, 'reversed-range', 'dayOfWeek'],
  [{ dayOfWeek: 'fri-mon' }, 'reversed-range', 'dayOfWeek'],
  [{ hour: '*/25' }, 'bad-step', 'hour'],
  [{ minute: '*/0' }, 'bad-step', 'minute'],
  [{ dayOfWeek: '*/8' }, 'bad-step', 'dayOfWeek'],
  [{ month: 'foo' }, 'bad-name', 'month'],
  [{ dayOfWeek: 'monday' }, 'bad-name', 'dayOfWeek'],
  [{ hour: 'nine' }, 'bad-name', 'hour'],
  [{ hour: true }, 'bad-name', 'hour'],
  [{ hour: [9, 10] }, 'bad-name', 'hour'],
  [{ hour: 9n }, 'bad-name', 'hour'],
  [{ day: 'last foo' }, 'bad-name', 'day'],
  [{ day: '2nd 1' }, 'bad-name', 'day'],
  [{ day: '6th mon' }, 'bad-special', 'day'],
  [{ day: '1st' }, 'bad-special', 'day'],
  [{ day: '2st mon' }, 'bad-special', 'day'],
  [{ day: 'last fri sat' }, 'bad-special', 'day'],
  [{ hour: 'last' }, 'bad-name', 'hour'],
  [{ hour: '?' }, 'bad-special', 'hour'],
  [{ week: 'L' }, 'bad-special', 'week'],
  [{ dayOfWeek: 'mon#6' }, 'bad-special', 'dayOfWeek'],
  [{ hours: 9 }, 'unknown-key', 'hours'],
  [{ hour: 9, weekday: 1 }, 'unknown-key', 'weekday'],
  [{ dayofweek: 1 }, 'unknown-key', 'dayofweek'],
  [{ hour: 9, '': 1 }, 'unknown-key'],
  [{ dayOfWeek: 1, day_of_week: 1 }, 'ambiguous', 'dayOfWeek'],
  [{ month: 2, day: 30 }, 'never-fires'],
  [{ month: 2, day: '5th mon', year: 2026 }, 'never-fires'],
  [{ month: 1, week: 30 }, 'never-fires'],
  [{ week: 53, year: '2027-2031', month: 6 }, 'never-fires'],
  [{ day: '1', dayOfWeek: 'mon#2' }, 'never-fires'],
];

describe('a fields object is refused', () => {
  test.each(fields)('%o: %s', (given, reason, field) => {
    const error = refusedTrigger({ type: 'cron', fields: given });
    expect(error.reason).toBe(reason);
    if (field !== undefined) expect(error.field).toBe(field);
  });
});

const durations: unknown[] = [
  0, -1, -0.5, 0.5, 1.25, Number.NaN, Infinity, -Infinity, Number.MAX_SAFE_INTEGER, 3_155_760_000_001, '', ' ', '5', '0',
  '0s', '0h0m', '-5m', '+5m', '5 m', ' 5m', '5m ', '1h 30m', '5M', '5H', '5min', '5minutes', 'five', '5 minutes ', ' 5 minutes', '0 seconds', '-5 minutes',
  '5 minutes 1 hour', '1 hour 2 hours', '1.5 hours 30 minutes', '5 minutes ago', '5 minutes and 3 seconds', '1 month', '2 years', 'minutes', '5 m 3 s',
  '1 hour\n30 minutes', '1 hour30 minutes', '１ hour', 'm', '5x', '1h1h',
  '30m1h', '1.5.5h', '1.5h30m', '.5h', '5.h', '1e3s', '0x5s', '٥m', '5mm', 'NaNs', 'Infinitys', '36526d', '99999999999999w',
  '9'.repeat(60), 'P', 'PT', 'P1DT', 'PT5', 'P5', 'P1M', 'P1Y', 'P1Y2M', 'P1MT1M', 'PT5M1H', 'pt5m', '-PT5M', 'PT-5M', 'PT0S',
  'P0D', 'PT1.5H30M', 'T5M', 'P1H', '1D', {}, { minutes: 0 }, { minutes: -5 }, { hours: 1, minutes: -1 },
  { minutes: Number.NaN }, { minutes: Infinity }, { minutes: '5' }, { milliseconds: 0.5 }, { days: 36_526 }, [], [5], null, undefined,
  true, false, 5n, new Date(), () => 5, Symbol.iterator.toString(),
]; // prettier-ignore

describe('a duration is refused', () => {
  test.each(durations.map((input) => [typeof input === 'bigint' ? `${input}n` : input, input]))(
    '%s',
    (_title, input) => {
      expect(refusal(() => parseDuration(input as number)).reason).toBe('bad-duration');
      expect(refusedTrigger({ type: 'interval', every: input }).reason).toBe('bad-duration');
    },
  );

  test.each([{ hour: 1 }, { minutes: 5, foo: 1 }, { months: 1 }, { years: 1 }, { Minutes: 5 }])(
    '%j: unknown-key',
    (input) => {
      expect(refusal(() => parseDuration(input as never)).reason).toBe('unknown-key');
    },
  );

  test('with a hint that says what to write', () => {
    const hintOf = (input: unknown): string | null => refusal(() => parseDuration(input as string)).hint;
    expect(hintOf('5')).toMatch(/"5s"/);
    expect(hintOf('P1M')).toMatch(/cron expression/);
    expect(hintOf('1h 30m')).toMatch(/without blanks/);
    expect(hintOf('5min')).toMatch(/"5 minutes"/);
    expect(hintOf('1 month')).toMatch(/cron expression/);
    expect(hintOf({ hour: 1 })).toMatch(/"hours"/);
  });
});

const dates: [input: unknown, reason: ScheduleErrorReason, position?: number][] = [
  ['2025-02-29 10:00', 'out-of-range', 8],
  ['2025-02-30 10:00', 'out-of-range', 8],
  ['2025-04-31 10:00', 'out-of-range', 8],
  ['2100-02-29 10:00', 'out-of-range', 8],
  ['2025-13-01 10:00', 'out-of-range', 5],
  ['2025-00-01 10:00', 'out-of-range', 5],
  ['2025-01-00 10:00', 'out-of-range', 8],
  ['2025-01-32 10:00', 'out-of-range', 8],
  ['0000-01-01 10:00', 'out-of-range', 0],
  ['2025-01-01 24:00', 'out-of-range', 11],
  ['2025-01-01 25:00', 'out-of-range', 11],
  ['2025-01-01 10:60', 'out-of-range', 14],
  ['2025-01-01 10:00:60', 'out-of-range', 17],
  ['2025-01-01T10:00:00+24:00', 'out-of-range', 20],
  ['2025-01-01T10:00+99:00', 'out-of-range', 17],
  ['2025-01-01T10:00:00.000+09:60', 'out-of-range', 27],
  ['2025-01', 'out-of-range'],
  ['2025', 'out-of-range'],
  ['10:00', 'out-of-range'],
  ['2025-1-1 10:00', 'out-of-range'],
  ['25-01-01 10:00', 'ambiguous'],
  ['+002025-01-01T10:00', 'out-of-range'],
  ['2025-01-01  10:00', 'out-of-range'],
  [' 2025-01-01 10:00', 'out-of-range'],
  ['2025-01-01 10:00 ', 'out-of-range'],
  ['2025-01-01\n10:00', 'out-of-range'],
  ['2025-01-01 10', 'out-of-range'],
  ['2025-01-01 10:0', 'out-of-range'],
  ['2025-01-01 10:00:0', 'out-of-range'],
  ['2025-01-01 10:00:00.', 'out-of-range'],
  ['2025-01-01 10:00:00.1234567890', 'out-of-range'],
  ['2025-01-01 10:00.5', 'out-of-range'],
  ['2025-01-01 10:00:00,123', 'out-of-range'],
  ['2025-01-01Z', 'out-of-range'],
  ['2025-01-01+09:00', 'out-of-range'],
  ['2025-02-29', 'out-of-range', 8],
  ['2025-01-01T10:00+0960', 'out-of-range', 19],
  ['2025-01-01T10:00+900', 'out-of-range'],
  ['2025-01-01T10:00+09', 'out-of-range'],
  ['2025-01-01T10:00 +09:00', 'out-of-range'],
  ['2025-01-01T10:00[]', 'out-of-range'],
  ['2025-01-01T10:00[Asia/Seoul', 'out-of-range'],
  ['2025-01-01T10:00 [Asia/Seoul]', 'out-of-range'],
  ['2025-01-01T10:00[Asia/Seoul][u-ca=hebrew]', 'out-of-range'],
  ['2025-01-01T10:00[Asia/Soul]', 'bad-zone'],
  ['2025-01-01T10:00[+09:00]', 'bad-zone'],
  ['2025-01-01T10:00+08:00[Asia/Seoul]', 'ambiguous', 22],
  ['2026-07-01T10:00-05:00[America/New_York]', 'ambiguous', 22],
  // Seconds of 2025, and a millisecond before and after what can be stored and shown.
  [1_762_563_600, 'out-of-range'],
  [100_000_000, 'out-of-range'],
  [new Date(-8.64e15), 'out-of-range'],
  [new Date('0000-12-31T07:59:59.999Z'), 'out-of-range'],
  [new Date('+010000-01-01T12:00:00.000Z'), 'out-of-range'],
  ['2025-01-01 10:00 PM', 'out-of-range'],
  ['2025-W01-1T10:00', 'out-of-range'],
  ['2025-001T10:00', 'out-of-range'],
  ['20250101T100000', 'out-of-range'],
  ['2025/01/01 10:00', 'out-of-range'],
  ['Sat, 08 Nov 2025 10:00:00 GMT', 'out-of-range'],
  ['tomorrow', 'out-of-range'],
  ['now', 'out-of-range'],
  ['1762563600000', 'out-of-range'],
  ['２025-01-01 10:00', 'out-of-range'],
  ['01/02/2025 10:00', 'ambiguous'],
  ['1.2.2025 10:00', 'ambiguous'],
  ['01-02-2025', 'ambiguous'],
  ['', 'empty'],
  ['  ', 'empty'],
  [null, 'empty'],
  [undefined, 'empty'],
  [Number.NaN, 'out-of-range'],
  [Infinity, 'out-of-range'],
  [8.64e15 + 1, 'out-of-range'],
  [new Date(Number.NaN), 'out-of-range'],
  [true, 'out-of-range'],
  [5n, 'out-of-range'],
  [{}, 'out-of-range'],
  [[], 'out-of-range'],
  [{ toMillis: () => Number.NaN }, 'out-of-range'],
  [{ toMillis: 5 }, 'out-of-range'],
  ['2025-01-01 10:00'.padEnd(10_000, '0'), 'out-of-range'],
];

describe('a date is refused', () => {
  test.each(dates)('%s: %s', (input, reason, position) => {
    const error = refusal(() => parseAt(input as string, 'UTC'));
    expect(error.reason).toBe(reason);
    if (position !== undefined) expect(error.position).toBe(position);
  });
});

const zones: unknown[] = [
  '', ' ', 'local', 'system', 'Local', 'SYSTEM', 'default', 'localtime', 'UTC+9', 'UTC-05:00', 'GMT+9', 'GMT+0', 'gmt-3', '+09:00', '-05:00',
  '+9', '9', 'Z', 'EST', 'PST', 'MST', 'HST', 'CET', 'EET', 'MET', 'WET', 'KST', 'JST', 'IST', 'BST', 'CST', 'EDT', 'AST', 'ACT',
  'Asia/Soul', 'Asia', 'Asia/', '/Seoul', 'Asia/Seoul/', 'Asia/Seoul/Gangnam', 'Asia//Seoul', 'Asia/Seoul ', ' Asia/Seoul', 'Asia\\Seoul',
  'Asia/Séoul', 'America/New York', 'Mars/Phobos', 'Europe/Atlantis', 'Etc/GMT+25', 'Etc/Unknown', 'Etc/GMT+09:00', 'SystemV/EST5',
  'posix/Europe/London', 'right/UTC', 'Seoul', 'undefined', 'null', 'a'.repeat(10_000), null, 9, {}, [], true, new Date(),
]; // prettier-ignore

describe('a zone is refused', () => {
  test.each(zones)('%s', (zone) => {
    expect(refusal(() => assertTimeZone(zone as string)).reason).toBe('bad-zone');
    expect(refusal(() => parseAt(new Date(), zone as string)).reason).toBe('bad-zone');
    if (zone !== null) {
      expect(refusedTrigger({ type: 'cron', expression: '* * * * *', timeZone: zone }).reason).toBe(
        'bad-zone',
      );
    }
  });
});

const daily = { type: 'cron', expression: '0 0 * * *' };
const hourly = { type: 'interval', every: '1h' };

const triggers: [trigger: unknown, reason: ScheduleErrorReason, field?: string][] = [
  [null, 'empty'],
  [undefined, 'empty'],
  ['0 0 * * *', 'bad-name'],
  [5, 'bad-name'],
  [[], 'bad-name'],
  [{}, 'empty', 'type'],
  [{ type: 'crom', expression: '0 0 * * *' }, 'bad-name', 'type'],
  [{ type: 'toString' }, 'bad-name', 'type'],
  [{ type: 'cron' }, 'empty', 'expression'],
  [{ type: 'cron', expression: null }, 'empty', 'expression'],
  [{ type: 'cron', expression: 5 }, 'empty', 'expression'],
  [{ type: 'cron', expression: ['* * * * *'] }, 'empty', 'expression'],
  [{ ...daily, fields: { hour: 9 } }, 'ambiguous', 'fields'],
  [{ ...daily, timezone: 'UTC' }, 'unknown-key', 'timezone'],
  [{ ...daily, every: '5m' }, 'unknown-key', 'every'],
  [{ ...daily, anchor: 0 }, 'unknown-key', 'anchor'],
  [{ ...daily, dst: 'skip' }, 'bad-name', 'dst'],
  [{ ...daily, dst: { gap: 'jump' } }, 'bad-name', 'dst.gap'],
  [{ ...daily, dst: { overlap: 'third' } }, 'bad-name', 'dst.overlap'],
  [{ ...daily, dst: { gaps: 'run' } }, 'unknown-key', 'gaps'],
  [{ ...daily, startAt: 'soon' }, 'out-of-range', 'startAt'],
  [{ ...daily, endAt: '2025-02-30 00:00' }, 'out-of-range', 'endAt'],
  [{ ...daily, startAt: '2026-01-02 00:00', endAt: '2026-01-01 00:00' }, 'reversed-range', 'endAt'],
  [{ ...daily, startAt: '2026-01-01 01:00', endAt: '2026-01-01 02:00' }, 'never-fires', 'endAt'],
  [{ ...daily, maxRuns: 0 }, 'out-of-range', 'maxRuns'],
  [{ ...daily, maxRuns: -1 }, 'out-of-range', 'maxRuns'],
  [{ ...daily, maxRuns: 1.5 }, 'out-of-range', 'maxRuns'],
  [{ ...daily, maxRuns: '3' }, 'out-of-range', 'maxRuns'],
  [{ ...daily, jitter: -1 }, 'bad-duration', 'jitter'],
  [{ ...daily, jitter: 'a bit' }, 'bad-duration', 'jitter'],
  [{ ...daily, exclude: {} }, 'bad-name', 'exclude'],
  [{ ...daily, exclude: ['2026-01-01'] }, 'bad-name', 'exclude'],
  [{ ...daily, exclude: [{}] }, 'empty', 'exclude'],
  [{ ...daily, exclude: [{ dates: [] }] }, 'empty', 'exclude'],
  [{ ...daily, exclude: [{ dates: '2026-01-01' }] }, 'bad-name', 'exclude'],
  [{ ...daily, exclude: [{ dates: ['2026-02-30'] }] }, 'out-of-range', 'exclude'],
  [{ ...daily, exclude: [{ dates: ['01/02/2026'] }] }, 'out-of-range', 'exclude'],
  [{ ...daily, exclude: [{ weekdays: [8] }] }, 'out-of-range', 'exclude'],
  [{ ...daily, exclude: [{ weekdays: ['saturday'] }] }, 'bad-name', 'exclude'],
  [{ ...daily, exclude: [{ from: '2026-01-02', to: '2026-01-01' }] }, 'reversed-range', 'exclude'],
  [{ ...daily, exclude: [{ from: '2026-01-02' }] }, 'out-of-range', 'exclude'],
  [{ ...daily, exclude: [{ to: '2026-01-02' }] }, 'empty', 'exclude'],
  [{ ...daily, exclude: [{ dates: ['2026-01-01'], weekdays: [1] }] }, 'ambiguous', 'exclude'],
  [{ ...daily, exclude: [{ calendar: 'holidays' }] }, 'bad-name', 'exclude'],
  [{ ...daily, exclude: [{ weekdays: [0], timeZone: 'KST' }] }, 'bad-zone'],
  [{ ...daily, exclude: [{ weekdays: [0, 1, 2, 3, 4, 5, 6] }] }, 'never-fires', 'exclude'],
  [{ type: 'cron', expression: '0 0 * * MON', exclude: [{ weekdays: ['mon'] }] }, 'never-fires', 'exclude'],
  [{ type: 'cron', expression: '0 0 12 30 12 ? 2011', timeZone: 'Pacific/Apia' }, 'never-fires'],
  [
    { type: 'cron', expression: '0 30 2 8 3 ? 2026', timeZone: 'America/New_York', dst: { gap: 'skip' } },
    'never-fires',
  ],
  [{ type: 'interval' }, 'bad-duration', 'every'],
  [{ ...hourly, expression: '* * * * *' }, 'unknown-key', 'expression'],
  [{ ...hourly, mode: 'fixed' }, 'bad-name', 'mode'],
  [{ ...hourly, calendar: true }, 'bad-duration', 'every'],
  [{ type: 'interval', every: '1d', calendar: 'yes' }, 'bad-name', 'calendar'],
  [{ type: 'interval', every: '1d', calendar: true, mode: 'fixed-delay' }, 'ambiguous', 'mode'],
  [{ ...hourly, anchor: 'yesterday' }, 'out-of-range', 'anchor'],
  [{ ...hourly, dst: { gap: 'run' } }, 'unknown-key', 'dst'],
  [{ type: 'cron', expression: '@every 5m', dst: { gap: 'run' } }, 'unknown-key', 'dst'],
  [{ ...hourly, anchor: '2026-01-01 00:00', endAt: '2025-01-01 00:00' }, 'never-fires', 'endAt'],
  [{ type: 'at' }, 'empty', 'at'],
  [{ type: 'at', at: '2025-11-08 10:00', timeZone: 'KST' }, 'bad-zone'],
  [{ type: 'at', at: '2025-11-08 10:00', maxRuns: 1 }, 'unknown-key', 'maxRuns'],
  [{ type: 'after' }, 'empty', 'jobs'],
  [{ type: 'after', jobs: [] }, 'empty', 'jobs'],
  [{ type: 'after', jobs: 'a' }, 'empty', 'jobs'],
  [{ type: 'after', jobs: [''] }, 'empty', 'jobs'],
  [{ type: 'after', jobs: [5] }, 'bad-name', 'jobs'],
  [{ type: 'after', jobs: ['a'], need: 2 }, 'out-of-range', 'need'],
  [{ type: 'after', jobs: ['a'], otherwise: 'skip' }, 'bad-name', 'otherwise'],
  [{ type: 'after', jobs: ['a'], delay: -5 }, 'bad-duration', 'delay'],
  [{ type: 'manual', at: 5 }, 'unknown-key', 'at'],
];

describe('a trigger is refused', () => {
  test.each(triggers)('%j: %s', (trigger, reason, field) => {
    const error = refusedTrigger(trigger);
    expect(error.reason).toBe(reason);
    if (field !== undefined) expect(error.field).toBe(field);
  });
});

describe('a question is refused', () => {
  const trigger = { type: 'cron', expression: '* * * * *' } as const;
  test.each([-1, 1.5, Number.NaN, Infinity, 100_001, '5'])('count %s', (count) => {
    expect(refusal(() => nextOccurrences(trigger, { from: 0, count: count as number })).reason).toBe(
      'out-of-range',
    );
  });

  test.each([undefined, 'then', new Date(Number.NaN)])('from %s', (from) => {
    const error = refusal(() => nextOccurrences(trigger, { from: from as Date }));
    expect(error.field).toBe('from');
  });
});

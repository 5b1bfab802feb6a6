import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assertTimeZone,
  describe as describeTrigger,
  InvalidScheduleError,
  nextOccurrences,
  parseAt,
  parseDuration,
  preview,
  previousOccurrences,
  type TriggerInput,
} from '../../lib/index.js';

const limitMs = 50;
const maxLength = 10_000;

/** Answers or refuses within the limit, of the time of a processor: what else the machine has to do is not the code's fault. The quickest of ten counts. */
function inTime(ask: () => unknown): void {
  let quickest = Infinity;
  for (let attempt = 0; attempt < 10 && quickest >= limitMs; attempt++) {
    const begin = process.cpuUsage();
    try {
      ask();
    } catch (error) {
      if (!(error instanceof InvalidScheduleError)) throw error;
    }
    const { user, system } = process.cpuUsage(begin);
    quickest = Math.min(quickest, (user + system) / 1_000);
  }
  expect(quickest).toBeLessThan(limitMs);
}

function ask(trigger: unknown): void {
  const options = { from: '2026-01-01T00:00:00Z', count: 3, timeZone: 'Europe/Berlin' };
  inTime(() => nextOccurrences(trigger as TriggerInput, options));
  inTime(() => previousOccurrences(trigger as TriggerInput, options));
  inTime(() => preview(trigger as TriggerInput, options));
  inTime(() => describeTrigger(trigger as TriggerInput));
}

const letters = fc.constantFrom(
  ...'0123456789*/,-?LW#H()@ \t'.split(''),
  'MON',
  'SUN',
  'JAN',
  'FEB',
  '*/',
  '/0',
  '29 2',
  'L-',
  '#5',
  '7',
);
const dialect = fc.array(letters, { maxLength: 60 }).map((parts) => parts.join(''));
const fieldText = fc
  .array(
    letters.filter((text) => !/\s/.test(text)),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join(''));
const fields = fc.array(fieldText, { minLength: 5, maxLength: 7 }).map((parts) => parts.join(' '));
const anything = fc.string({ unit: 'binary', maxLength: 200 });
const text = fc.oneof(dialect, fields, anything);

/** Texts of up to 10 kB that repeat something, the usual poison of parsers. */
const long = fc
  .tuple(
    fc.oneof(
      letters,
      anything.filter((one) => one.length > 0),
    ),
    fc.integer({ min: 100, max: maxLength }),
    fc.constantFrom('', ' * * * *', ' 0 0 1 1 *'),
  )
  .map(
    ([part, length, end]) => part.repeat(Math.ceil(length / part.length)).slice(0, length - end.length) + end,
  );

describe('no input takes longer than 50 ms to be answered or refused', () => {
  // Whatever was never asked before is compiled and loaded at the first question.
  ask({ type: 'cron', expression: '0 0 29 2 *', timeZone: 'Europe/Berlin' });

  test('as an expression', () => {
    fc.assert(fc.property(text, (expression) => ask({ type: 'cron', expression })), { numRuns: 2_000 });
  });

  test('as a long expression, duration, date, zone or field', () => {
    fc.assert(
      fc.property(long, (given) => {
        ask({ type: 'cron', expression: given });
        ask({ type: 'cron', fields: { day: given } });
        ask({ type: 'cron', expression: '0 0 * * *', exclude: [{ calendar: given }, { dates: [given] }] });
        ask({ type: given });
        ask({ [given]: 1, type: 'cron' });
        inTime(() => parseDuration(given));
        inTime(() => parseAt(given, 'Asia/Seoul'));
        inTime(() => assertTimeZone(given));
      }),
      { numRuns: 150 },
    );
  });

  test('as a fields object', () => {
    const names = fc.constantFrom('year', 'month', 'day', 'week', 'dayOfWeek', 'hour', 'minute', 'second', 'day_of_week', 'x');
    const value = fc.oneof(fieldText, fc.integer({ min: -1, max: 60 }), fc.double(), fc.constantFrom('last', '2nd mon', 'last fri', null, true));
    fc.assert(
      fc.property(fc.dictionary(names, value, { maxKeys: 5 }), (given) => ask({ type: 'cron', fields: given })),
      { numRuns: 1_000 },
    );
  });

  test('as anything at all', () => {
    fc.assert(fc.property(fc.anything(), (given) => ask(given)), { numRuns: 500 });
    const type = fc.constantFrom('cron', 'interval', 'at', 'after', 'manual');
    const key = fc.constantFrom('expression', 'fields', 'every', 'anchor', 'at', 'timeZone', 'dst', 'exclude', 'jitter', 'startAt', 'endAt', 'maxRuns');
    fc.assert(
      fc.property(type, fc.dictionary(key, fc.oneof(fc.anything(), text), { maxKeys: 4 }), (kind, given) => ask({ ...given, type: kind })),
      { numRuns: 1_000 },
    );
  });

  test.each<[string, unknown]>([
    ['never, in three hundred years of gaps', { type: 'cron', fields: { month: 3, day: '2nd sun', hour: 2, minute: 30, year: '2007-9999' }, timeZone: 'America/New_York', dst: { gap: 'skip' } }],
    ['the rarest date', { type: 'cron', fields: { month: 2, day: 29, dayOfWeek: 'mon', week: 9 } }],
    ['week 53 on a leap year', { type: 'cron', fields: { week: 53, month: 12, day: 28, dayOfWeek: 'mon' } }],
    ['the last second of all', { type: 'cron', expression: '59 59 23 31 12 ? 9999' }],
    ['every second, excluded for ever', { type: 'cron', expression: '* * * * * *', exclude: [{ from: '1970-01-01', to: '9999-12-31' }] }],
    ['Mondays, without Mondays', { type: 'cron', expression: '0 0 * * MON', exclude: [{ weekdays: ['MON'] }] }],
    ['Mondays, without the Mondays of elsewhere', { type: 'cron', expression: '0 12 * * MON', exclude: [{ weekdays: ['MON'], timeZone: 'Asia/Seoul' }] }],
    ['leap days, without weekdays', { type: 'cron', expression: '0 0 29 2 *', exclude: [{ weekdays: [1, 2, 3, 4, 5, 6], timeZone: 'Asia/Tokyo' }] }],
    ['every millisecond, without a decade', { type: 'interval', every: 1, anchor: 0, exclude: [{ from: '2026-01-01', to: '2036-01-01' }] }],
    ['a million years of nothing', { type: 'interval', every: '36525d', anchor: 0, exclude: [{ weekdays: [0, 1, 2, 3, 4, 5] }] }],
  ])('as %s', (_title, trigger) => ask(trigger));
}); // prettier-ignore

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  InvalidScheduleError,
  nextOccurrences,
  previousOccurrences,
  type TriggerInput,
} from '../../lib/index.js';

const int = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const field = (min: number, max: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constant('*'),
    int(min, max).map(String),
    int(1, max - min + 1).map((n) => `*/${n}`),
    fc.uniqueArray(int(min, max), { minLength: 2, maxLength: 5 }).map((values) => values.join(',')),
  );

const timeZone = fc.constantFrom(
  'UTC', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Chatham', 'America/Nuuk', 'Asia/Beirut', 'America/Havana', 'America/St_Johns',
  'Antarctica/Troll', 'Pacific/Apia', 'Africa/Casablanca', 'America/Sao_Paulo', 'Asia/Tehran',
); // prettier-ignore
const dst = fc.record(
  { gap: fc.constantFrom('run', 'skip', 'shift'), overlap: fc.constantFrom('first', 'second', 'both') },
  { requiredKeys: [] },
);
const cron = fc
  .tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6), timeZone, dst)
  .map(([minute, hour, day, month, weekday, zone, policy]): TriggerInput => ({
    type: 'cron', expression: `${minute} ${hour} ${day} ${month} ${weekday}`, timeZone: zone, dst: policy,
  })); // prettier-ignore
const interval = fc
  .tuple(int(1, 40), fc.boolean(), timeZone)
  .map(([days, calendar, zone]): TriggerInput => ({
    type: 'interval', every: { days }, calendar, anchor: '1999-10-31 01:30', timeZone: zone,
  })); // prettier-ignore
const exclude = fc.constantFrom(
  undefined,
  [{ weekdays: ['SAT', 'SUN'] }],
  [{ from: '2008-03-01', to: '2008-11-30' }],
);
const from = int(Date.UTC(2005, 0, 1) / 1000, Date.UTC(2030, 0, 1) / 1000).map((second) => second * 1000);

test('instants are strictly later, strictly increasing, whole seconds, and the same backwards and piece by piece', () => {
  fc.assert(
    fc.property(
      fc.oneof({ weight: 4, arbitrary: cron }, { weight: 1, arbitrary: interval }),
      exclude,
      from,
      (kind, excluded, start) => {
        const trigger = { ...kind, exclude: excluded } as TriggerInput;
        let found: number[];
        try {
          found = nextOccurrences(trigger, { from: start, count: 40 }).map((date) => date.getTime());
        } catch (error) {
          if (error instanceof InvalidScheduleError && error.reason === 'never-fires') return;
          throw error;
        }
        let last = start;
        for (const at of found) {
          expect(at).toBeGreaterThan(last);
          expect(at % 1000).toBe(0);
          // Asked from anywhere between two instants, the next one is the same.
          const between = last + Math.floor((at - last) / 2);
          expect(nextOccurrences(trigger, { from: between, count: 1 })[0]!.getTime()).toBe(at);
          expect(nextOccurrences(trigger, { from: at - 1, count: 1 })[0]!.getTime()).toBe(at);
          last = at;
        }
        const back = previousOccurrences(trigger, { from: last + 1, count: found.length }).map((date) =>
          date.getTime(),
        );
        expect(back.reverse()).toEqual(found);
        if (found.length > 0) {
          const [before] = previousOccurrences(trigger, { from: found[0]!, count: 1 });
          if (before) expect(before.getTime()).toBeLessThanOrEqual(start);
        }
      },
    ),
    { numRuns: 600 },
  );
});

test('a question may be asked with a Date, epoch milliseconds or text, in fractions of a second', () => {
  const trigger: TriggerInput = { type: 'cron', expression: '0 9 * * *', timeZone: 'Asia/Seoul' };
  const nine = new Date('2026-01-01T00:00:00Z');
  const ask = (at: Date | number | string): Date => nextOccurrences(trigger, { from: at })[0]!;
  expect(ask(nine.getTime() - 1)).toEqual(nine);
  expect(ask(new Date(nine.getTime() - 1))).toEqual(nine);
  expect(ask('2026-01-01 08:59:59.999')).toEqual(nine);
  expect(ask(nine)).toEqual(new Date('2026-01-02T00:00:00Z'));
  expect(ask('2026-01-01T00:00:00.001Z')).toEqual(new Date('2026-01-02T00:00:00Z'));
});

test('the zone of the trigger wins over the default', () => {
  const options = { from: '2026-01-01T00:00:00Z', timeZone: 'Asia/Seoul' };
  const own = nextOccurrences({ type: 'cron', expression: '0 9 * * *', timeZone: 'UTC' }, options);
  expect(own).toEqual([new Date('2026-01-01T09:00:00Z')]);
  expect(nextOccurrences({ type: 'cron', expression: '0 9 * * *' }, options)).toEqual([
    new Date('2026-01-02T00:00:00Z'),
  ]);
});

test('a trigger that is changed after a question is a new trigger', () => {
  const trigger: TriggerInput = { type: 'cron', expression: '0 9 * * *', exclude: [{ weekdays: ['THU'] }] };
  const options = { from: '2026-01-01T00:00:00Z' };
  expect(nextOccurrences(trigger, options)).toEqual([new Date('2026-01-02T09:00:00Z')]);
  trigger.exclude = [{ weekdays: ['FRI'] }];
  expect(nextOccurrences(trigger, options)).toEqual([new Date('2026-01-01T09:00:00Z')]);
  trigger.expression = '0 10 * * *';
  expect(nextOccurrences(trigger, options)).toEqual([new Date('2026-01-01T10:00:00Z')]);
});

test('starts, ends and counts are limits, and one is the default count', () => {
  const trigger: TriggerInput = {
    type: 'cron',
    expression: '0 12 * * *',
    startAt: '2026-01-03T12:00:00Z',
    endAt: '2026-01-05T12:00:00Z',
  };
  const options = { from: '2026-01-01T00:00:00Z', count: 9 };
  const days = (dates: Date[]): number[] => dates.map((date) => date.getUTCDate());
  expect(days(nextOccurrences(trigger, options))).toEqual([3, 4, 5]);
  expect(days(nextOccurrences({ ...trigger, maxRuns: 2 }, options))).toEqual([3, 4]);
  expect(days(nextOccurrences(trigger, { ...options, count: undefined }))).toEqual([3]);
  expect(days(nextOccurrences(trigger, { ...options, count: 0 }))).toEqual([]);
  expect(days(previousOccurrences(trigger, { ...options, from: '2026-02-01T00:00:00Z' }))).toEqual([5, 4, 3]);
});

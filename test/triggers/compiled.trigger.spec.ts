import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Trigger } from '../../lib/index.js';
import { compileTrigger, CompiledTrigger } from '../../lib/triggers/compiled.trigger.js';
import type { OccurrenceSource } from '../../lib/triggers/occurrence.source.js';

const start = Date.UTC(2026, 0, 1);
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const cron: Trigger = { type: 'cron', expression: '0 12 * * *', timeZone: 'UTC' };
const interval: Trigger = {
  type: 'interval',
  every: 5 * minute,
  anchor: '2026-01-01T00:00:00.000Z',
  timeZone: 'UTC',
};

describe('a compiled trigger', () => {
  test('answers strictly after and strictly before', () => {
    const compiled = compileTrigger(cron, 'a/b');
    const noon = start + 12 * hour;
    expect(compiled.next(noon - 1)).toBe(noon);
    expect(compiled.next(noon)).toBe(noon + day);
    expect(compiled.previous(noon + 1)).toBe(noon);
    expect(compiled.previous(noon)).toBe(noon - day);
  });

  test('is kept by content, each job on its own', () => {
    expect(compileTrigger({ ...cron }, 'a/b')).toBe(compileTrigger(cron, 'a/b'));
    expect(compileTrigger(cron, 'a/c')).not.toBe(compileTrigger(cron, 'a/b'));
  });

  test('that names a calendar is kept for a frozen registry', () => {
    const named: Trigger = { ...cron, exclude: [{ calendar: 'holidays' }] };
    const frozen = Object.freeze({ holidays: [{ dates: ['2026-01-01'] }] });
    expect(compileTrigger(named, 'a/b', frozen)).toBe(compileTrigger({ ...named }, 'a/b', frozen));
    expect(compileTrigger(named, 'a/b', { ...frozen })).not.toBe(compileTrigger(named, 'a/b', { ...frozen }));
    expect(compileTrigger(named, 'a/b', Object.freeze({ holidays: [] })).next(start)).toBe(start + 12 * hour);
    expect(compileTrigger(named, 'a/b', frozen).next(start)).toBe(start + 36 * hour);
  });

  test('whose calculation answers with the wrong side says so instead of going round in a loop', () => {
    const stuck: OccurrenceSource = { nextFrom: (at) => at - 1, previousFrom: (at) => at + 1 };
    const compiled = new CompiledTrigger(cron, stuck, null, 'a/b');
    expect(() => compiled.next(start)).toThrow(/was computed as/);
    expect(() => compiled.previous(start)).toThrow(/was computed as/);
    expect(() => compiled.countBetween(start, start + day, 5)).toThrow(/was computed as/);
  });

  test('counts the instants of a stretch, its end included', () => {
    for (const trigger of [cron, interval]) {
      const compiled = compileTrigger(trigger, 'a/b');
      const first = compiled.next(start)!;
      const second = compiled.next(first)!;
      expect(compiled.countBetween(start, first - 1, 10)).toEqual({ count: 0, last: null });
      expect(compiled.countBetween(start, first, 10)).toEqual({ count: 1, last: first });
      expect(compiled.countBetween(first, second, 10)).toEqual({ count: 1, last: second });
      expect(compiled.countBetween(start, start + 30 * day, 4)).toEqual({
        count: 4,
        last: start + (first - start) + 3 * (second - first),
      });
      expect(compiled.countBetween(start, start + 30 * day, 0)).toEqual({ count: 0, last: null });
    }
  });

  test('counts an interval of a century at once', () => {
    const every: Trigger = { ...interval, every: 1 };
    const until = start + 36_500 * day;
    expect(compileTrigger(every, '').countBetween(start, until, Infinity)).toEqual({
      count: 36_500 * day,
      last: until,
    });
  });

  test('counts many instants of a cron in few steps, as nobody may wait for them', () => {
    const every: Trigger = { ...cron, expression: '* * * * * *', timeZone: 'Asia/Seoul' };
    const weekdays: Trigger = {
      ...cron,
      expression: '* * * * *',
      timeZone: 'Europe/Berlin',
      exclude: [{ weekdays: ['sat', 'sun'] }],
    };
    for (const trigger of [every, weekdays]) {
      let walked = 0;
      const walk = compileTrigger(trigger, '').walkBetween(start, start + 100 * day, 100_000);
      let step = walk.next();
      for (; !step.done; step = walk.next()) walked += step.value;
      expect(step.value.count).toBeGreaterThan(99_000);
      expect(walked).toBeLessThan(10_000);
    }
  });

  test('counts as many as it walks over one by one', () => {
    const field = (max: number) =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min: 2, max: 20 }).map((step) => `*/${step}`),
        fc
          .uniqueArray(fc.integer({ min: 0, max }), { minLength: 1, maxLength: 4 })
          .map((some) => some.join()),
      );
    const zones = ['UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/St_Johns'];
    const changes = [Date.UTC(2026, 2, 29, 1), Date.UTC(2026, 9, 25, 1), Date.UTC(2026, 3, 4, 15), start];
    fc.assert(
      fc.property(
        fc.tuple(field(59), field(59), fc.oneof(fc.constant('*'), field(23))),
        fc.constantFrom(...zones),
        fc.constantFrom('run', 'skip', 'shift' as const),
        fc.constantFrom('first', 'second', 'both' as const),
        fc.constantFrom(
          undefined,
          [{ weekdays: ['sun'] }],
          [{ dates: ['2026-10-25'], timeZone: 'Asia/Kolkata' }],
        ),
        fc.constantFrom(...changes),
        fc.integer({ min: -30 * hour, max: 30 * hour }),
        fc.integer({ min: 0, max: 12 * hour }),
        fc.integer({ min: 1, max: 20_000 }),
        ([second, minutes, hours], timeZone, gap, overlap, exclude, change, offset, length, limit) => {
          const trigger = {
            type: 'cron',
            expression: `${second} ${minutes} ${hours} * * *`,
            timeZone,
            dst: { gap, overlap },
            ...(exclude && { exclude }),
            endAt: new Date(change + 6 * hour).toISOString(),
          } as Trigger;
          const compiled = compileTrigger(trigger, '');
          const [after, until] = [change + offset, change + offset + length];
          const found: number[] = [];
          for (let at = compiled.next(after); at !== null && at <= until; at = compiled.next(at)) {
            if (found.push(at) === limit) break;
          }
          expect(compiled.countBetween(after, until, limit)).toEqual({
            count: found.length,
            last: found.at(-1) ?? null,
          });
        },
      ),
      { numRuns: 150 },
    );
  });

  test('honours the limits when it counts', () => {
    const limited: Trigger = {
      ...interval,
      startAt: '2026-01-01T01:00:00.000Z',
      endAt: '2026-01-01T02:00:00.000Z',
    };
    const compiled = compileTrigger(limited, '');
    expect(compiled.countBetween(start, start + day, 1_000)).toEqual({ count: 13, last: start + 2 * hour });
    expect(compiled.next(start)).toBe(start + hour);
    expect(compiled.next(start + 2 * hour)).toBeNull();
    expect(compiled.previous(start + hour)).toBeNull();
    expect(compiled.previous(start + day)).toBe(start + 2 * hour);
  });

  test('names the excluded instants strictly between two', () => {
    const compiled = compileTrigger({ ...cron, exclude: [{ dates: ['2026-01-02', '2026-01-03'] }] }, '');
    const noon = start + 12 * hour;
    const next = compiled.next(noon)!;
    expect(next).toBe(noon + 3 * day);
    expect(compiled.excludedBetween(noon, next)).toEqual({
      from: noon + day,
      until: noon + 2 * day,
      count: 2,
    });
    expect(compiled.excludedBetween(next, next + day)).toBeNull();
    expect(compileTrigger(cron, '').excludedBetween(noon, next)).toBeNull();
    expect(compiled.countBetween(start, noon + 3 * day, 10)).toEqual({ count: 2, last: next });
  });

  test('knows a fixed delay', () => {
    const compiled = compileTrigger({ ...interval, mode: 'fixed-delay' }, '');
    expect(compiled.fixedDelayMs).toBe(5 * minute);
    expect(compiled.next(start + 7)).toBe(start + 7 + 5 * minute);
    expect(compileTrigger(interval, '').fixedDelayMs).toBeNull();
    expect(compileTrigger(cron, '').fixedDelayMs).toBeNull();
  });

  test('of a one-off has its instant once; of other kinds none', () => {
    const at = compileTrigger({ type: 'at', at: '2026-01-01T00:00:00.000Z' }, '');
    expect([at.next(start - 1), at.next(start), at.previous(start + 1), at.previous(start)]).toEqual([
      start,
      null,
      start,
      null,
    ]);
    expect(at.countBetween(0, start, 5)).toEqual({ count: 1, last: start });
    for (const trigger of [{ type: 'manual' }, { type: 'after', jobs: ['a'] }] satisfies Trigger[]) {
      const compiled = compileTrigger(trigger, '');
      expect([compiled.next(0), compiled.previous(start), compiled.fixedDelayMs]).toEqual([null, null, null]);
    }
  });

  test('has answers at the ends of time', () => {
    for (const trigger of [cron, interval, { ...interval, every: day, calendar: true }] satisfies Trigger[]) {
      const compiled = compileTrigger(trigger, '');
      for (const at of [Infinity, 8.64e15, Date.UTC(12_000, 0)]) {
        expect(compiled.next(at)).toBeNull();
        expect(compiled.previous(at)).toBeGreaterThan(Date.UTC(9999, 11, 31));
      }
      for (const at of [-Infinity, -8.64e15]) {
        expect(compiled.next(at)).not.toBeNull();
        expect(compiled.previous(at)).toBeNull();
      }
    }
  });
});

describe('jitter', () => {
  const spread = { ...cron, jitter: 10 * minute } satisfies Trigger;

  test('is the same everywhere and differs from job to job and from time to time', () => {
    const noon = start + 12 * hour;
    const delay = compileTrigger(spread, 'a/b').jitterOf(noon);
    expect(compileTrigger({ ...spread }, 'a/b').jitterOf(noon)).toBe(delay);
    // Fixed for ever: workers of different releases must agree.
    expect(delay).toBe(297_612);
    const jobs = Array.from({ length: 200 }, (_, index) =>
      compileTrigger(spread, `a/${index}`).jitterOf(noon),
    );
    expect(new Set(jobs).size).toBeGreaterThan(195);
    const times = Array.from({ length: 200 }, (_, index) =>
      compileTrigger(spread, 'a/b').jitterOf(noon + index * day),
    );
    expect(new Set(times).size).toBeGreaterThan(195);
    for (const one of [...jobs, ...times]) {
      expect(one).toBeGreaterThanOrEqual(0);
      expect(one).toBeLessThanOrEqual(10 * minute);
    }
    expect(Math.max(...jobs)).toBeGreaterThan(9 * minute);
    expect(Math.min(...jobs)).toBeLessThan(minute);
  });

  test('ends before the next instant', () => {
    const compiled = compileTrigger(
      { type: 'cron', expression: '0,1 12 * * *', timeZone: 'UTC', jitter: hour },
      'a/b',
    );
    for (let index = 0; index < 200; index++) {
      const noon = start + 12 * hour + index * day;
      expect(compiled.jitterOf(noon)).toBeLessThan(minute);
      expect(compiled.jitterOf(noon + minute)).toBeLessThanOrEqual(hour);
    }
  });

  test('does not move the nominal time, and is nothing unless asked for', () => {
    const noon = start + 12 * hour;
    expect(compileTrigger(spread, 'a/b').next(start)).toBe(noon);
    expect(compileTrigger(cron, 'a/b').jitterOf(noon)).toBe(0);
  });
});

import { describe, expect, test } from 'vitest';
import type { TriggerInput } from '../../lib/index.js';
import { normalizeTrigger, withAnchor } from '../../lib/triggers/normalize.js';

const now = Date.UTC(2026, 0, 1);
const context = { timeZone: 'Asia/Seoul', now };

const rows: [input: TriggerInput, stored: unknown][] = [
  [{ type: 'cron', expression: ' 0 9 * * 1-5\t' }, { type: 'cron', expression: '0 9 * * 1-5', timeZone: 'Asia/Seoul' }],
  [
    { type: 'cron', fields: { hour: 9, day_of_week: 'mon', minute: undefined } as never, timeZone: 'utc' },
    { type: 'cron', fields: { hour: 9, dayOfWeek: 'mon' }, timeZone: 'UTC' },
  ],
  [
    { type: 'cron', expression: '@every 90s', startAt: '2026-01-01 09:00', jitter: '5s' },
    { type: 'interval', every: 90_000, timeZone: 'Asia/Seoul', startAt: '2026-01-01T00:00:00.000Z', jitter: 5_000 },
  ],
  [
    { type: 'cron', expression: '0 9 * * *', dst: {}, exclude: [], jitter: 0, maxRuns: undefined },
    { type: 'cron', expression: '0 9 * * *', timeZone: 'Asia/Seoul' },
  ],
  [
    { type: 'cron', expression: '0 9 * * *', dst: { gap: 'skip' }, endAt: new Date(now + 86_400_000), maxRuns: 2 },
    { type: 'cron', expression: '0 9 * * *', timeZone: 'Asia/Seoul', endAt: '2026-01-02T00:00:00.000Z', maxRuns: 2, dst: { gap: 'skip' } },
  ],
  [
    { type: 'cron', expression: '0 9 * * *', exclude: [{ weekdays: ['sat', 7] }, { from: '2026-01-01', to: '2026-01-02', timeZone: 'utc' }] },
    {
      type: 'cron', expression: '0 9 * * *', timeZone: 'Asia/Seoul',
      exclude: [{ weekdays: [6, 0] }, { from: '2026-01-01', to: '2026-01-02', timeZone: 'UTC' }],
    },
  ],
  [{ type: 'interval', every: { minutes: 5 } }, { type: 'interval', every: 300_000, timeZone: 'Asia/Seoul' }],
  [
    { type: 'interval', every: '1d', calendar: true, anchor: '2026-01-01 09:00', mode: 'fixed-rate' },
    { type: 'interval', every: 86_400_000, anchor: '2026-01-01T00:00:00.000Z', calendar: true, timeZone: 'Asia/Seoul' },
  ],
  [
    { type: 'interval', every: '5m', mode: 'fixed-delay', calendar: false },
    { type: 'interval', every: 300_000, mode: 'fixed-delay', timeZone: 'Asia/Seoul' },
  ],
  [{ type: 'at', at: '2026-01-01 09:00' }, { type: 'at', at: '2026-01-01T00:00:00.000Z', timeZone: 'Asia/Seoul' }],
  [{ type: 'at', at: now, timeZone: 'UTC' }, { type: 'at', at: '2026-01-01T00:00:00.000Z', timeZone: 'UTC' }],
  [{ type: 'after', jobs: ['a', 'b', 'a'], delay: 0 }, { type: 'after', jobs: ['a', 'b'] }],
  [{ type: 'after', jobs: ['a', 'b'], need: 'any', otherwise: 'run' }, { type: 'after', jobs: ['a', 'b'], need: 1, otherwise: 'run' }],
  [{ type: 'after', jobs: ['a', 'b'], need: 'all', otherwise: 'block' }, { type: 'after', jobs: ['a', 'b'] }],
  [{ type: 'after', jobs: ['a'], delay: 5 }, { type: 'after', jobs: ['a'], delay: 5 }],
  [{ type: 'manual' }, { type: 'manual' }],
]; // prettier-ignore

describe('the stored form', () => {
  test.each(rows)('of %j', (input, stored) => {
    const trigger = normalizeTrigger(input, context);
    expect(trigger).toEqual(stored);
    expect(JSON.parse(JSON.stringify(trigger))).toEqual(stored);
    // What is stored can be given again, and is stored the same.
    expect(normalizeTrigger(trigger as TriggerInput, { ...context, timeZone: 'UTC' })).toEqual(stored);
  });

  test('does not change what was given', () => {
    const input: TriggerInput = { type: 'cron', expression: ' @daily ', exclude: [{ weekdays: ['sat'] }] };
    const copy = structuredClone(input);
    normalizeTrigger(input, context);
    expect(input).toEqual(copy);
  });
});

describe('the past', () => {
  const refusing = { ...context, refusePast: true };
  const accepted: TriggerInput[] = [
    { type: 'at', at: now },
    { type: 'at', at: now + 1 },
    { type: 'cron', expression: '0 9 * * *' },
    { type: 'cron', expression: '0 9 * * *', endAt: now + 86_400_000 },
    { type: 'interval', every: '5m' },
  ];
  const refused: TriggerInput[] = [
    { type: 'at', at: now - 1 },
    { type: 'at', at: '2025-11-08 10:00' },
    { type: 'cron', expression: '0 9 * * *', endAt: now - 1 },
    { type: 'cron', expression: '0 0 9 * * * 2025' },
    { type: 'interval', every: '5m', anchor: 0, endAt: now - 1 },
  ];

  test.each(accepted)('has not swallowed %j', (trigger) => {
    expect(() => normalizeTrigger(trigger, refusing)).not.toThrow();
  });

  test.each(refused)('refuses %j only when asked to', (trigger) => {
    expect(() => normalizeTrigger(trigger, context)).not.toThrow();
    expect(() => normalizeTrigger(trigger, refusing)).toThrow(
      expect.objectContaining({ reason: 'past-date' }),
    );
  });
});

test('an interval shorter than the shortest that is allowed is refused', () => {
  expect(() => normalizeTrigger({ type: 'interval', every: 999 }, { ...context, minEveryMs: 1_000 })).toThrow(
    expect.objectContaining({ reason: 'bad-duration', field: 'every' }),
  );
  expect(normalizeTrigger({ type: 'interval', every: 999 }, context)).toMatchObject({ every: 999 });
});

test('calendars are checked where they are known', () => {
  const trigger: TriggerInput = { type: 'cron', expression: '0 9 * * *', exclude: [{ calendar: 'holiday' }] };
  expect(() => normalizeTrigger(trigger, context)).not.toThrow();
  expect(() => normalizeTrigger(trigger, { ...context, calendars: { holidays: [] } })).toThrow(
    /Did you mean "holidays"/,
  );
  expect(() =>
    normalizeTrigger(trigger, { ...context, calendars: { holiday: [{ weekdays: [0] }] } }),
  ).not.toThrow();
});

describe('the anchor of an interval', () => {
  const every: TriggerInput = { type: 'interval', every: '5m' };

  test('is its own, else its start, else its creation', () => {
    const anchorOf = (input: TriggerInput): unknown => withAnchor(normalizeTrigger(input, context), now);
    expect(anchorOf(every)).toMatchObject({ anchor: '2026-01-01T00:00:00.000Z' });
    expect(anchorOf({ ...every, startAt: now + 5 })).toMatchObject({ anchor: '2026-01-01T00:00:00.005Z' });
    expect(anchorOf({ ...every, anchor: 7, startAt: now })).toMatchObject({
      anchor: '1970-01-01T00:00:00.007Z',
    });
  });

  test('belongs to intervals only', () => {
    const manual = { type: 'manual' } as const;
    expect(withAnchor(manual, now)).toBe(manual);
  });
});

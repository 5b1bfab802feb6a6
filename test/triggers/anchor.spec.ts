import { expect, test } from 'vitest';
import { nextOccurrences, type TriggerInput } from '../../lib/index.js';
import type { Trigger } from '../../lib/model/trigger.js';
import { withPastAnchor } from '../../lib/triggers/anchor.js';

const dayMs = 86_400_000;

/** Every so many days of New York: on 2026-03-08 02:00 becomes 03:00 there, on 2026-11-01 02:00 becomes 01:00. */
function days(many: number, anchor: string): Trigger {
  const every = many * dayMs;
  return { type: 'interval', every, calendar: true, timeZone: 'America/New_York', anchor };
}

function moved(trigger: Trigger, now: string): Trigger | null {
  const { anchor } = trigger as { anchor: string };
  return withPastAnchor(trigger, Date.parse(anchor), Date.parse(now));
}

test.each([
  ['over the begin of summer', 1, '2026-04-07T13:00:00.000Z', '2026-03-05T12:00Z', '2026-03-04T14:00:00.000Z'],
  ['over its end', 1, '2026-11-30T14:00:00.000Z', '2026-10-30T12:00Z', '2026-10-29T13:00:00.000Z'],
  ['over none', 1, '2026-07-30T13:00:00.000Z', '2026-07-10T14:00Z', '2026-07-10T13:00:00.000Z'],
  ['to an instant of its own', 1, '2026-07-30T13:00:00.000Z', '2026-07-10T13:00Z', '2026-07-10T13:00:00.000Z'],
  ['by two days', 2, '2026-03-12T13:00:00.000Z', '2026-03-07T15:00Z', '2026-03-06T14:00:00.000Z'],
  ['by weeks', 7, '2026-04-08T13:00:00.000Z', '2026-03-05T12:00Z', '2026-03-04T14:00:00.000Z'],
  // That day has no 02:30; from an anchor at 03:00 it would stay so.
  ['not into a gap', 1, '2026-04-08T06:30:00.000Z', '2026-03-08T12:00Z', '2026-03-07T07:30:00.000Z'],
  ['to the first of two passes', 1, '2026-11-20T06:30:00.123Z', '2026-11-01T12:00Z', '2026-11-01T05:30:00.123Z'],
])('the anchor of days of a calendar moves %s, and keeps its wall time', (_, many, anchor, now, past) => {
  const trigger = days(many, anchor);
  expect(moved(trigger, now)).toEqual({ ...trigger, anchor: past });
}); // prettier-ignore

test('the grid is the same from the anchor on, and goes on before it', () => {
  for (const many of [1, 3, 7]) {
    for (const minutes of [0, 30, 90, 150, 200]) {
      for (const birth of ['2026-03-20T05:00Z', '2026-11-14T05:00Z']) {
        const anchor = new Date(Date.parse(birth) + minutes * 60_000).toISOString();
        const trigger = days(many, anchor);
        const now = new Date(Date.parse(anchor) - 40 * dayMs).toISOString();
        const past = moved(trigger, now) as TriggerInput;
        const from = new Date(Date.parse(anchor) - 1);
        expect(nextOccurrences(past, { from, count: 30 })).toEqual(
          nextOccurrences(trigger as TriggerInput, { from, count: 30 }),
        );
        const [first] = nextOccurrences(past, { from: now, count: 1 });
        expect(first!.getTime() - Date.parse(now)).toBeLessThanOrEqual(many * dayMs + 3_600_000);
      }
    }
  }
});

test('what was not born by a clock that was ahead stays as it is', () => {
  const anchor = '2026-04-07T13:00:00.000Z';
  expect(moved(days(1, anchor), '2026-04-08T00:00Z')).toBeNull();
  const startAt = { ...days(1, anchor), startAt: anchor } as Trigger;
  expect(moved(startAt, '2026-03-05T12:00Z')).toBeNull();
});

test('days of a calendar from a start in the future are counted from that, at its wall time', () => {
  const trigger: TriggerInput = {
    type: 'interval',
    every: '1d',
    calendar: true,
    timeZone: 'America/New_York',
    startAt: '2026-03-07 09:00',
  };
  const found = nextOccurrences(trigger, { from: '2026-01-01T00:00Z', count: 3 });
  expect(found.map((at) => at.toISOString())).toEqual([
    '2026-03-07T14:00:00.000Z',
    '2026-03-08T13:00:00.000Z',
    '2026-03-09T13:00:00.000Z',
  ]);
});

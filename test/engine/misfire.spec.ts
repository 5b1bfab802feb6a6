import { describe, expect, test } from 'vitest';
import { planFiring } from '../../lib/engine/firing.plan.js';
import type { Policies } from '../../lib/model/policies.js';
import type { Trigger } from '../../lib/model/trigger.js';
import type { DueCursor } from '../../lib/ports/storage.adapter.js';
import { compileTrigger } from '../../lib/triggers/compiled.trigger.js';

const noon = Date.UTC(2026, 0, 1, 12);
const minute = 60_000;
const hour = 60 * minute;

function plan(
  lateMs: number,
  policies: Partial<Policies> = {},
  given: { trigger?: Trigger; fired?: number; room?: number; nominalAt?: number } = {},
) {
  const trigger: Trigger = given.trigger ?? { type: 'cron', expression: '0 * * * *', timeZone: 'UTC' };
  const cursor: DueCursor = {
    jobUid: '1',
    jobId: 'hourly',
    namespace: 'default',
    handler: 'work',
    nominalAt: given.nominalAt ?? noon,
    revision: 1,
    fired: given.fired ?? 0,
    trigger,
    timeZone: 'UTC',
    policies,
  };
  const firing = planFiring(
    cursor,
    compileTrigger(trigger, 'default/hourly'),
    noon + lateMs,
    given.room ?? 200,
  )!;
  const hours = (at: number | null): number | null => (at === null ? null : (at - noon) / hour);
  return {
    births: firing.births.map((birth) => [hours(birth.nominalAt), birth.missed]),
    gaps: firing.gaps.map((gap) => [gap.verdict, hours(gap.from), hours(gap.until), gap.count]),
    next: hours(firing.nextAt),
    fired: firing.fired,
    firing,
  };
}

describe('a cursor that is due', () => {
  test('gives birth to its instant and moves to the next one', () => {
    expect(plan(3)).toMatchObject({ births: [[0, 0]], gaps: [], next: 1, fired: 1 });
  });

  test('late by less than the threshold is simply late', () => {
    expect(plan(minute)).toMatchObject({ births: [[0, 0]], gaps: [], next: 1 });
  });

  test('ends after maxRuns', () => {
    const trigger: Trigger = { type: 'cron', expression: '0 * * * *', timeZone: 'UTC', maxRuns: 3 };
    expect(plan(0, {}, { trigger, fired: 1 })).toMatchObject({ next: 1, fired: 2 });
    expect(plan(0, {}, { trigger, fired: 2 })).toMatchObject({ next: null, fired: 3 });
  });

  test('of a fixed delay waits for its run', () => {
    const trigger: Trigger = { type: 'interval', every: hour, mode: 'fixed-delay' };
    expect(plan(5 * hour, {}, { trigger })).toMatchObject({ births: [[0, 0]], next: Infinity });
  });

  test('puts excluded instants on record', () => {
    const exclude = [{ dates: ['2026-01-02'] }];
    const trigger: Trigger = { type: 'cron', expression: '0 12 * * *', timeZone: 'UTC', exclude };
    expect(plan(0, {}, { trigger })).toMatchObject({ gaps: [['excluded', 24, 24, 1]], next: 48 });
  });
});

describe('instants missed in a downtime', () => {
  test('once: the latest runs for all, the others are on record', () => {
    expect(plan(5 * hour + 90_000)).toMatchObject({ births: [[5, 5]], gaps: [['missed', 0, 4, 5]], next: 6 });
  });

  test('once: a single missed instant runs, and nothing is missing', () => {
    expect(plan(30 * minute)).toMatchObject({ births: [[0, 0]], gaps: [], next: 1 });
  });

  test('skip: all are on record, none runs', () => {
    expect(plan(5 * hour + 90_000, { misfire: 'skip' })).toMatchObject({
      births: [],
      gaps: [['missed', 0, 5, 6]],
      next: 6,
    });
  });

  test('skip: an instant that is not late by more than the threshold runs all the same', () => {
    expect(plan(5 * hour, { misfire: 'skip' })).toMatchObject({
      births: [[5, 0]],
      gaps: [['missed', 0, 4, 5]],
      next: 6,
    });
  });

  const all = { misfire: 'all', overlap: 'allow' } as const;

  test('all: every instant runs', () => {
    const { births, gaps, next, firing } = plan(2 * hour + 90_000, all);
    expect(births).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ]);
    expect(gaps).toEqual([]);
    expect(next).toBe(3);
    expect(firing.overlap).toBe('allow');
  });

  test('all: a long downtime is worked off in bounded portions', () => {
    const { births, next } = plan(900 * hour, all);
    expect(births).toHaveLength(100);
    expect(next).toBe(100);
  });

  test('all: no more instants become runs than there is room for, and none without room', () => {
    expect(plan(9 * hour, all, { room: 4 })).toMatchObject({ births: { length: 4 }, next: 4 });
    expect(() => plan(9 * hour, all, { room: 0 })).toThrow();
    expect(plan(minute, all, { room: 0 }), 'What is not missed waits for nothing.').toMatchObject({
      next: 1,
    });
  });

  test.each(['skip', 'queue', 'cancel-running'] as const)(
    'all: with the overlap policy %s one runs after the other',
    (overlap) => {
      const { births, next, firing } = plan(9 * hour, { misfire: 'all', overlap });
      expect({ births, next, overlap: firing.overlap }).toEqual({
        births: [[0, 0]],
        next: 1,
        overlap: 'wait',
      });
      expect(plan(minute, { misfire: 'all', overlap }).firing.overlap).toBe(overlap);
    },
  );

  test('all: beyond the limit by count the newest run, the others are on record', () => {
    const misfireLimit = { count: 3, ageMs: null };
    expect(plan(9 * hour + 90_000, { ...all, misfireLimit })).toMatchObject({
      births: [
        [7, 0],
        [8, 0],
        [9, 0],
      ],
      gaps: [['missed', 0, 6, 7]],
      next: 10,
      firing: { gaps: [{ reason: 'misfire limit' }] },
    });
    expect(plan(2 * hour + 90_000, { ...all, misfireLimit })).toMatchObject({
      births: { length: 3 },
      gaps: [],
    });
    expect(plan(3 * hour + 90_000, { ...all, misfireLimit }).gaps).toEqual([['missed', 0, 0, 1]]);
  });

  test('all: what is older than the limit does not run', () => {
    const misfireLimit = { count: 1_000, ageMs: 3 * hour };
    expect(plan(9 * hour, { ...all, misfireLimit })).toMatchObject({
      births: [
        [6, 0],
        [7, 0],
        [8, 0],
        [9, 0],
      ],
      gaps: [['missed', 0, 5, 6]],
    });
    const none = plan(30 * minute, { ...all, misfireLimit: { count: 1, ageMs: minute } });
    expect(none).toMatchObject({ births: [], gaps: [['missed', 0, 0, 1]], next: 1 });
  });

  test('all: a backlog too long for one gap is put on record in portions, and none of it runs before that', () => {
    const exclude = [{ dates: ['2020-01-01'] }];
    const trigger: Trigger = { type: 'interval', every: 1_000, anchor: '2026-01-01T12:00:00Z', exclude };
    const { firing } = plan(200_000_000, all, { trigger });
    expect(firing.births).toEqual([]);
    expect(firing.gaps).toMatchObject([{ count: 100_000, verdict: 'missed' }]);
    expect(firing.nextAt).toBe(noon + 100_000_000);
  });

  test.each([
    [100_050, 1_000],
    [100_800, 1_000],
    [100_001, 100_000],
    [150_000, 100_000],
    [250_000, 5_000],
  ])('all: of %i instants the newest %i run, and the rest is on record', (missed, count) => {
    // With days left out its instants are looked at one by one.
    const exclude = [{ dates: ['2020-01-01'] }];
    const trigger: Trigger = { type: 'interval', every: 1_000, anchor: '2026-01-01T12:00:00Z', exclude };
    const policies = { ...all, misfireLimit: { count, ageMs: null } };
    const at = (nth: number): number => noon + nth * 1_000;
    let onRecord = 0;
    let next = 0;
    for (let firings = 0; firings < 5; firings++) {
      const { firing } = plan(at(missed - 1) - noon, policies, { trigger, nominalAt: at(next) });
      onRecord += firing.gaps.reduce((sum, gap) => sum + gap.count, 0);
      if (firing.births.length > 0) {
        expect({ onRecord, first: firing.births[0]!.nominalAt }).toEqual({
          onRecord: missed - count,
          first: at(missed - count),
        });
        return;
      }
      next = (firing.nextAt! - noon) / 1_000;
    }
    expect.fail('Nothing of it runs.');
  });

  test('of an every-second cron are one gap, after two days as well', () => {
    const trigger: Trigger = { type: 'cron', expression: '* * * * * *', timeZone: 'UTC' };
    const { firing } = plan(200_000_000, {}, { trigger });
    expect(firing.births).toMatchObject([{ nominalAt: noon + 200_000_000, missed: 200_000 }]);
    expect(firing.gaps).toMatchObject([{ count: 200_000, until: noon + 199_999_000 }]);
  });

  test('that have to be looked at one by one are counted without bound by several firings', () => {
    const exclude = [{ dates: ['2020-01-01'] }];
    const trigger: Trigger = { type: 'interval', every: 1_000, anchor: '2026-01-01T12:00:00Z', exclude };
    const { firing } = plan(200_000_000, {}, { trigger });
    expect(firing.births).toEqual([]);
    expect(firing.gaps).toMatchObject([{ count: 100_001 }]);
    expect(firing.nextAt).toBe(firing.gaps[0]!.until + 1_000);
    expect(firing.gaps[0]!.count).toBe(1 + (firing.gaps[0]!.until - noon) / 1_000);
  });
});

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
  given: { trigger?: Trigger; fired?: number } = {},
) {
  const trigger: Trigger = given.trigger ?? { type: 'cron', expression: '0 * * * *', timeZone: 'UTC' };
  const cursor: DueCursor = {
    jobUid: '1',
    jobId: 'hourly',
    namespace: 'default',
    handler: 'work',
    nominalAt: noon,
    revision: 1,
    fired: given.fired ?? 0,
    trigger,
    timeZone: 'UTC',
    policies,
  };
  const firing = planFiring(cursor, compileTrigger(trigger, 'default/hourly'), noon + lateMs);
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

  test('runs every instant that a short stall held up', () => {
    const trigger: Trigger = { type: 'interval', every: 1_000, anchor: new Date(noon).toISOString() };
    const { firing } = plan(4_500, {}, { trigger });
    expect(firing.births.map((birth) => birth.nominalAt - noon)).toEqual([0, 1_000, 2_000, 3_000, 4_000]);
    expect(firing.nextAt).toBe(noon + 5_000);
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

  test('skip: an instant that is on time is left for the next firing', () => {
    expect(plan(5 * hour, { misfire: 'skip' })).toMatchObject({ gaps: [['missed', 0, 4, 5]], next: 5 });
  });

  test('all: every instant runs', () => {
    const { births, gaps, next } = plan(2 * hour + 90_000, { misfire: 'all' });
    expect(births).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ]);
    expect(gaps).toEqual([]);
    expect(next).toBe(3);
  });

  test('all: a long downtime is worked off in bounded portions', () => {
    const { births, next } = plan(1_000 * hour, { misfire: 'all' });
    expect(births).toHaveLength(100);
    expect(next).toBe(100);
  });

  test('are counted without bound by several firings', () => {
    const trigger: Trigger = { type: 'cron', expression: '* * * * * *', timeZone: 'UTC' };
    const { firing } = plan(200_000_000, {}, { trigger });
    expect(firing.births).toEqual([]);
    expect(firing.gaps).toHaveLength(1);
    expect(firing.nextAt).toBe(firing.gaps[0]!.until + 1_000);
    expect(firing.gaps[0]!.count).toBe(1 + (firing.gaps[0]!.until - noon) / 1_000);
  });
});

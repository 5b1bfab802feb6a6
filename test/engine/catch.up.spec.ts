import { afterEach, expect, test, vi } from 'vitest';
import { CompiledTrigger, compileTrigger } from '../../lib/triggers/compiled.trigger.js';
import type { Trigger } from '../../lib/model/trigger.js';
import { Turns } from '../../lib/engine/turns.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';

const day = 86_400_000;

afterEach(() => void vi.restoreAllMocks());

/** Counts the instants that are computed in each turn of the event loop. */
function watchTurns(): { most: number; all: number; stop(): void } {
  const seen = { most: 0, all: 0, stop: () => clearImmediate(turn) };
  let now = 0;
  const next = Reflect.get(CompiledTrigger.prototype, 'next');
  vi.spyOn(CompiledTrigger.prototype, 'next').mockImplementation(function (this: CompiledTrigger, after) {
    now++;
    seen.all++;
    return Reflect.apply(next, this, [after]);
  });
  let turn = setImmediate(function count() {
    seen.most = Math.max(seen.most, now);
    now = 0;
    turn = setImmediate(count);
  });
  return seen;
}

const policies = [
  { misfire: 'once' },
  { misfire: 'skip' },
  { misfire: 'all', misfireLimit: { count: 2, ageMs: null } },
  { misfire: 'all', misfireLimit: { count: 2, ageMs: 60_000 } },
] as const;

test('a week of minutes of many jobs is caught up bit by bit, and ordinary work goes on in between', async () => {
  const clock = new ManualClock('2026-03-01T00:00:00Z');
  const rig = new EngineRig({ clock, options: { concurrency: 20 } });
  rig.handle('work', () => undefined);
  const jobs = Array.from({ length: 16 }, (_, i) => ({
    id: `minutely-${i}`,
    // With days left out its instants are looked at one by one.
    trigger: { type: 'interval' as const, every: 60_000, exclude: [{ dates: ['2025-01-01'] }] },
    nextAt: clock.now() - 7 * day,
    policies: policies[i % policies.length]!,
  }));
  await rig.add(...jobs);
  const turns = watchTurns();
  await rig.engine.start();
  // One advance for each moment, so that what is due meanwhile has its turn.
  for (let i = 0; i < 20; i++) await clock.advanceBy(50);
  turns.stop();
  await new Promise((resolve) => setImmediate(resolve));
  expect(turns.all).toBeGreaterThan(16 * 7 * 24 * 60);
  expect(turns.most).toBeLessThanOrEqual(12_000);
  for (const { id } of jobs) {
    const gaps = (await rig.storage.queryGaps({ namespace: 'default', jobId: id }, {})).items;
    const runs = (await rig.storage.queryAttempts({ namespace: 'default', jobId: id }, {})).items.length;
    const missed = gaps.reduce((sum, gap) => sum + gap.count, 0);
    expect(missed + runs).toBe(7 * 24 * 60 + 1);
  }
  await rig.stop();
});

const secondly: Record<'cron' | 'interval', Trigger> = {
  // Counted by whole minutes, whatever their number.
  cron: { type: 'cron', expression: '* * * * * *', timeZone: 'UTC' },
  // With days left out its instants are looked at one by one.
  interval: { type: 'interval', every: 1_000, exclude: [{ dates: ['2025-01-01'] }] },
};

test.each(
  (['cron', 'interval'] as const).flatMap((kind) =>
    (['once', 'skip', 'all'] as const).map((misfire) => [kind, misfire] as const),
  ),
)(
  'a hundred thousand seconds of a schedule take a turn of the event loop after each few thousand instants: %s, %s',
  async (kind, misfire) => {
    const clock = new ManualClock('2026-03-01T00:00:00Z');
    const rig = new EngineRig({ clock });
    rig.handle('work', () => undefined);
    const missed = 100_000;
    await rig.add({
      id: 'secondly',
      trigger: secondly[kind],
      nextAt: clock.now() - missed * 1_000,
      policies: { misfire, misfireLimit: { count: 1, ageMs: null }, misfireThresholdMs: 0 },
    });
    const turns = watchTurns();
    await rig.engine.start();
    for (let i = 0; i < 50; i++) await clock.advanceBy(0);
    turns.stop();
    await new Promise((resolve) => setImmediate(resolve));
    const gaps = (await rig.storage.queryGaps({}, {})).items.filter(({ verdict }) => verdict === 'missed');
    expect(gaps.reduce((sum, { count }) => sum + count, 0)).toBe(missed);
    if (kind === 'cron') expect(turns.all).toBeLessThan(10_000);
    else expect(turns.all).toBeGreaterThan(missed);
    expect(turns.most).toBeLessThanOrEqual(3_600);
    await rig.stop();
  },
);

test.each(['allow', 'skip'] as const)(
  'a thousand runs that are caught up begin in portions, with a turn of the event loop after each: overlap %s',
  async (overlap) => {
    const clock = new ManualClock('2026-03-01T00:00:00Z');
    const rig = new EngineRig({ clock });
    let all = 0;
    let now = 0;
    let most = 0;
    rig.handle('work', () => {
      all++;
      most = Math.max(most, ++now);
    });
    let turn = setImmediate(function count() {
      now = 0;
      turn = setImmediate(count);
    });
    const nextAt = clock.now() - 100_000 * 1_000;
    await rig.add({ trigger: secondly.cron, nextAt, policies: { misfire: 'all', overlap } });
    await rig.engine.start();
    for (let i = 0; i < 200 && all < 1_000; i++) await clock.advanceBy(0);
    clearImmediate(turn);
    expect(all).toBe(1_000);
    expect(most).toBeLessThanOrEqual(50);
    await rig.stop();
  },
);

test('a walk that is interrupted comes to what it comes to at once', async () => {
  const start = Date.parse('2026-01-01T00:00:00Z');
  const cron = compileTrigger(
    {
      type: 'cron',
      expression: '* * * * *',
      timeZone: 'UTC',
      exclude: [{ weekdays: ['sat', 'sun'] }],
    } as never,
    'default/a',
  );
  const clock = new ManualClock();
  const turns = new Turns(clock);
  const finishing = turns.finish(cron.walkBetween(start, start + 30 * day, 100_000));
  const excluding = turns.finish(cron.walkExcluded(start, start + 30 * day));
  await clock.advanceBy(0);
  expect(await finishing).toEqual(cron.countBetween(start, start + 30 * day, 100_000));
  expect(await excluding).toEqual(cron.excludedBetween(start, start + 30 * day));
  expect(turns.spent).toBeGreaterThan(30_000);
});

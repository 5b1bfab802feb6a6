import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { planFiring } from '../../lib/engine/firing.plan.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import { resolvePolicies, type Policies } from '../../lib/model/policies.js';
import type { Trigger } from '../../lib/model/trigger.js';
import type { Birth, DueCursor, Firing, NewGap } from '../../lib/ports/storage.adapter.js';
import { compileTrigger, type CompiledTrigger } from '../../lib/triggers/compiled.trigger.js';
import { EngineRig, everyMs } from '../support/engine.js';

describe('a stop of all workers', () => {
  let rig: EngineRig;

  afterEach(() => rig.stop());

  /** A job of each two seconds, while nobody is there for a while. */
  async function stopFor(ms: number, policies: Partial<Policies> = {}) {
    rig = new EngineRig();
    const start = rig.clock.now();
    const ran: { at: number; missed: number }[] = [];
    rig.handle('work', ({ nominalAt, missed }: RunContext) => {
      ran.push({ at: nominalAt.getTime() - start, missed });
    });
    await rig.add(everyMs(start, 2_000, { id: 'job', policies }));
    await rig.clock.advanceBy(ms);
    await rig.engine.start();
    await rig.settle();
    const { items } = await rig.storage.queryGaps({}, {});
    const gaps = items.map(({ from, until, verdict, count, reason }) => ({
      ...{ from: from.getTime() - start, until: until!.getTime() - start },
      ...{ verdict, count, reason },
    }));
    return { ran, gaps };
  }

  test.each([4_000, 20_000, 59_000, 61_000, 3_600_000])(
    'of %i ms comes to one run, of the latest instant, and one gap',
    async (ms) => {
      const { ran, gaps } = await stopFor(ms);
      const instants = Math.floor(ms / 2_000);
      expect(ran).toEqual([{ at: instants * 2_000, missed: instants - 1 }]);
      expect(gaps).toEqual([
        {
          ...{ from: 2_000, until: (instants - 1) * 2_000 },
          ...{ verdict: 'missed', count: instants - 1, reason: 'misfire' },
        },
      ]);
    },
  );

  test.each(['allow', 'queue', 'cancel-running'] as const)(
    'comes to that with any policy of overlaps (%s)',
    async (overlap) => {
      const { ran, gaps } = await stopFor(20_000, { overlap });
      expect(ran).toEqual([{ at: 20_000, missed: 9 }]);
      expect(gaps).toMatchObject([{ verdict: 'missed', count: 9 }]);
    },
  );

  test('that is shorter than the interval comes to a run that is late', async () => {
    expect(await stopFor(3_900)).toEqual({ ran: [{ at: 2_000, missed: 0 }], gaps: [] });
  });

  test('has each instant run, one after the other, where the policy is `all`', async () => {
    const { ran, gaps } = await stopFor(20_000, { misfire: 'all' });
    expect(ran.map(({ at }) => at / 2_000)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(gaps).toEqual([]);
  });

  test('leaves to `skip` what is not late by more than the threshold', async () => {
    const { ran, gaps } = await stopFor(20_000, { misfire: 'skip', misfireThresholdMs: 5_000 });
    expect(ran).toEqual([{ at: 20_000, missed: 2 }]);
    expect(gaps).toMatchObject([{ from: 2_000, until: 18_000, verdict: 'missed', count: 9 }]);
  });
});

test('a stall while a run goes on skips one instant for the overlap, and has the others missed', async () => {
  const rig = new EngineRig();
  const start = rig.clock.now();
  let end = (): void => undefined;
  rig.handle('work', () => new Promise<void>((resolve) => (end = resolve)));
  await rig.add(everyMs(start, 2_000));
  await rig.engine.start();
  await rig.clock.advanceBy(2_000);
  // Nobody gets through to the schedules meanwhile.
  const away = vi.spyOn(rig.storage, 'fire').mockRejectedValue(new Error('away'));
  await rig.clock.advanceBy(20_000);
  away.mockRestore();
  await rig.clock.advanceBy(1_900);
  const { items } = await rig.storage.queryGaps({}, {});
  const inOrder = items.toSorted((a, b) => a.from.getTime() - b.from.getTime());
  expect(inOrder.map(({ verdict, count }) => [verdict, count])).toEqual([
    ['missed', expect.any(Number)],
    ['skipped', 1],
  ]);
  end();
  await rig.stop(1_000);
});

const base = Date.UTC(2026, 2, 1);
const triggers: Trigger[] = [
  { type: 'interval', every: 1_000, anchor: '2026-01-01T00:00:00Z' },
  { type: 'interval', every: 47_000, anchor: '2026-01-01T00:00:00Z', jitter: 20_000 },
  {
    ...{ type: 'interval', every: 30_000, anchor: '2026-01-01T00:00:00Z' },
    exclude: [{ weekdays: ['sun'] }],
  },
  { type: 'cron', expression: '*/10 * * * * *', timeZone: 'UTC' },
  { type: 'cron', expression: '*/7 8-20 * * *', timeZone: 'Europe/Berlin' },
  { type: 'cron', expression: '0 3 * * *', timeZone: 'Asia/Seoul', exclude: [{ dates: ['2026-03-02'] }] },
];

const situations = fc.record({
  trigger: fc.constantFrom(...triggers),
  after: fc.integer({ min: 0, max: 86_400_000 }),
  lateMs: fc.oneof(fc.integer({ min: 0, max: 120_000 }), fc.integer({ min: 0, max: 3 * 86_400_000 })),
  misfire: fc.constantFrom('skip', 'once', 'all'),
  overlap: fc.constantFrom('skip', 'allow', 'queue', 'cancel-running'),
  misfireThresholdMs: fc.constantFrom(0, 1_000, 60_000, 3_600_000),
  count: fc.constantFrom(1, 5, 1_000),
  room: fc.integer({ min: 1, max: 20 }),
}) as fc.Arbitrary<
  { trigger: Trigger; after: number; lateMs: number; count: number; room: number } & Policies
>;

/** All firings at one moment, as if each run ended at once. */
function fireAll(cursor: DueCursor, compiled: CompiledTrigger, now: number, room: number) {
  const births: Birth[] = [];
  const gaps: NewGap[] = [];
  let firings = 0;
  let nominalAt: number | null = cursor.nominalAt;
  while (nominalAt !== null && nominalAt <= now) {
    const firing: Firing = planFiring({ ...cursor, nominalAt }, compiled, now, room)!;
    expect(firing.nextAt === null || firing.nextAt > nominalAt).toBe(true);
    firings++;
    births.push(...firing.births);
    gaps.push(...firing.gaps.filter(({ verdict }) => verdict === 'missed'));
    nominalAt = firing.nextAt;
  }
  return { births, gaps, firings };
}

function instantsOf(compiled: CompiledTrigger, from: number, until: number): number[] {
  const found: number[] = [];
  for (let at: number | null = from; at !== null && at <= until; at = compiled.next(at)) found.push(at);
  return found;
}

test('whatever was missed, and for how long, each instant is in one run or in one range', () => {
  fc.assert(
    fc.property(situations, ({ trigger, after, lateMs, count, room, ...given }) => {
      const compiled = compileTrigger(trigger, 'default/job');
      const nominalAt = compiled.next(base + after)!;
      const now = nominalAt + lateMs;
      const policies = resolvePolicies({ ...given, misfireLimit: { count, ageMs: null } });
      const cursor: DueCursor = {
        ...{ jobUid: '1', jobId: 'job', namespace: 'default', handler: 'work', nominalAt, revision: 1 },
        ...{ fired: 0, trigger, timeZone: 'UTC', policies },
      };
      const due = instantsOf(compiled, nominalAt, now);
      const latest = due.at(-1)!;
      const { births, gaps, firings } = fireAll(cursor, compiled, now, room);

      const covered = gaps.flatMap(({ from, until }) => instantsOf(compiled, from, until));
      expect(covered).toHaveLength(gaps.reduce((sum, gap) => sum + gap.count, 0));
      const all = [...covered, ...births.map((birth) => birth.nominalAt)];
      expect(all.toSorted((a, b) => a - b)).toEqual(due);
      expect(gaps.length).toBeLessThanOrEqual(1);

      switch (policies.misfire) {
        case 'once':
          expect(births).toMatchObject([{ nominalAt: latest, missed: due.length - 1 }]);
          expect(firings).toBe(1);
          return;
        case 'skip': {
          const inTime = due.filter((at) => now - at <= policies.misfireThresholdMs);
          const run = { nominalAt: latest, missed: inTime.length - 1 };
          expect(births).toMatchObject(inTime.length > 0 ? [run] : []);
          expect(firings).toBe(1);
          return;
        }
        case 'all':
          expect(births.map((birth) => birth.nominalAt)).toEqual(due.slice(-count));
      }
    }),
    { numRuns: 120 },
  );
});

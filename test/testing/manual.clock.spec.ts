import { describe, expect, test } from 'vitest';
import { InvalidScheduleError } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/index.js';

const start = '2026-03-01T12:00:00Z';
const startMs = Date.parse(start);

/** A clock, and a function that makes timers which note their name and time when they fire. */
function clockWithNotes(): { clock: ManualClock; notes: string[]; note: (name: string) => () => void } {
  const clock = new ManualClock(start);
  const notes: string[] = [];
  const note = (name: string) => () => void notes.push(`${name}@${clock.now() - startMs}`);
  return { clock, notes, note };
}

describe('ManualClock', () => {
  test('stands still until it is told to move', async () => {
    const clock = new ManualClock(start);
    await new Promise((resolve) => setImmediate(resolve));
    expect(clock.now()).toBe(startMs);
    await clock.advanceBy(1_500);
    expect(clock.now()).toBe(startMs + 1_500);
    expect(clock.monotonic()).toBe(1_500);
  });

  test.each([new Date(start), startMs, start])('starts at %s', (given) => {
    expect(new ManualClock(given).now()).toBe(startMs);
  });

  test('reads a time as the scheduler does, whatever zone the process is in', async () => {
    const zone = process.env.TZ;
    process.env.TZ = 'Asia/Seoul';
    try {
      // Otherwise this would prove nothing.
      expect(new Date('2026-03-01 09:00').toISOString()).toBe('2026-03-01T00:00:00.000Z');
      const clock = new ManualClock('2026-03-01 09:00');
      expect(new Date(clock.now()).toISOString()).toBe('2026-03-01T09:00:00.000Z');
      await clock.advanceTo('2026-03-02 09:00[Asia/Seoul]');
      expect(new Date(clock.now()).toISOString()).toBe('2026-03-02T00:00:00.000Z');
      await clock.advanceTo('2026-03-02 01:00');
      expect(new Date(clock.now()).toISOString()).toBe('2026-03-02T01:00:00.000Z');
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  test.each(['2026-02-30 10:00', '01/02/2026', 1_772_000_000, 'soon', new Date(NaN)])(
    'takes no time for what the scheduler takes for none: %s',
    async (given) => {
      expect(() => new ManualClock(given)).toThrow(InvalidScheduleError);
      await expect(new ManualClock(start).advanceTo(given)).rejects.toThrow(InvalidScheduleError);
    },
  );

  test('fires timers in the order of their time, each at its own time', async () => {
    const { clock, notes, note } = clockWithNotes();
    clock.setTimer(300, note('c'));
    clock.setTimer(100, note('a'));
    clock.setTimer(200, note('b'));
    clock.setTimer(5_000, note('later'));
    await clock.advanceBy(1_000);
    expect(notes).toEqual(['a@100', 'b@200', 'c@300']);
    expect(clock.now()).toBe(startMs + 1_000);
  });

  test('fires timers of the same time in the order in which they were set', async () => {
    const { clock, notes, note } = clockWithNotes();
    for (const name of ['a', 'b', 'c']) clock.setTimer(100, note(name));
    await clock.advanceBy(100);
    expect(notes).toEqual(['a@100', 'b@100', 'c@100']);
  });

  test('lets promises settle before the next timer fires', async () => {
    const { clock, notes, note } = clockWithNotes();
    clock.setTimer(100, () => {
      void (async () => {
        for (let turn = 0; turn < 50; turn++) await Promise.resolve();
        note('consequence')();
      })();
    });
    clock.setTimer(101, note('next'));
    await clock.advanceBy(1_000);
    expect(notes).toEqual(['consequence@100', 'next@101']);
  });

  test('fires timers that are set while it advances', async () => {
    const { clock, notes, note } = clockWithNotes();
    const tick = (left: number): void => {
      note('tick')();
      if (left > 0) clock.setTimer(100, () => tick(left - 1));
    };
    clock.setTimer(100, () => tick(3));
    await clock.advanceBy(350);
    expect(notes).toEqual(['tick@100', 'tick@200', 'tick@300']);
    await clock.advanceBy(50);
    expect(notes.at(-1)).toBe('tick@400');
  });

  test('fires what a promise sets before time moves on', async () => {
    const { clock, notes, note } = clockWithNotes();
    void Promise.resolve().then(() => clock.setTimer(10, note('late')));
    await clock.advanceBy(10);
    expect(notes).toEqual(['late@10']);
  });

  test('does not fire a timer that was cancelled, nor any twice', async () => {
    const { clock, notes, note } = clockWithNotes();
    const cancel = clock.setTimer(100, note('cancelled'));
    const cancelLate = clock.setTimer(100, note('fired'));
    cancel();
    await clock.advanceBy(100);
    cancelLate();
    await clock.advanceBy(1_000);
    expect(notes).toEqual(['fired@100']);
  });

  test('takes a delay below zero for none', async () => {
    const { clock, notes, note } = clockWithNotes();
    clock.setTimer(-50, note('now'));
    await clock.advanceBy(0);
    expect(notes).toEqual(['now@0']);
  });

  test('counts the timers that wait', async () => {
    const { clock, note } = clockWithNotes();
    expect([clock.pending, clock.nextTimerInMs]).toEqual([0, null]);
    clock.setTimer(500, note('a'));
    const cancel = clock.setTimer(200, note('b'));
    expect([clock.pending, clock.nextTimerInMs]).toEqual([2, 200]);
    cancel();
    expect([clock.pending, clock.nextTimerInMs]).toEqual([1, 500]);
    await clock.advanceBy(500);
    expect(clock.pending).toBe(0);
  });

  test('advances to a date', async () => {
    const { clock, notes, note } = clockWithNotes();
    clock.setTimer(60_000, note('a minute later'));
    await clock.advanceTo('2026-03-01T12:01:00Z');
    expect(notes).toEqual(['a minute later@60000']);
    await expect(clock.advanceTo(start)).rejects.toThrow('jumpWall');
  });

  test('jumps the wall clock without moving time or timers', async () => {
    const { clock, notes } = clockWithNotes();
    clock.setTimer(100, () => notes.push('fired'));
    clock.jumpWall(3_600_000);
    expect(clock.now()).toBe(startMs + 3_600_000);
    expect(clock.monotonic()).toBe(0);
    await clock.advanceBy(99);
    expect(notes).toEqual([]);
    clock.jumpWall(-7_200_000);
    await clock.advanceBy(1);
    expect(notes).toEqual(['fired']);
    expect(clock.monotonic()).toBe(100);
  });

  test('passes on what a callback throws, and can go on', async () => {
    const { clock, notes, note } = clockWithNotes();
    clock.setTimer(100, () => {
      throw new Error('boom');
    });
    clock.setTimer(200, note('after'));
    await expect(clock.advanceBy(1_000)).rejects.toThrow('boom');
    await clock.advanceBy(100);
    expect(notes).toEqual(['after@200']);
  });

  test('refuses times that are none', async () => {
    expect(() => new ManualClock('soon')).toThrow('"soon" is not a date');
    const clock = new ManualClock();
    await expect(clock.advanceBy(-1)).rejects.toThrow('Time does not go back');
    await expect(clock.advanceBy(Number.NaN)).rejects.toThrow(RangeError);
    expect(() => clock.setTimer(Number.POSITIVE_INFINITY, () => undefined)).toThrow('finite');
  });
});

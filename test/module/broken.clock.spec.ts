import { afterEach, beforeEach, expect, test } from 'vitest';
import { Cron, type CancelTimer } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);

beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});
afterEach(() => void process.off('unhandledRejection', note));

class BreakableClock extends ManualClock {
  isBroken = false;

  override now(): number {
    this.assertSound();
    return super.now();
  }

  override monotonic(): number {
    this.assertSound();
    return super.monotonic();
  }

  override setTimer(delayMs: number, callback: () => void): CancelTimer {
    this.assertSound();
    return super.setTimer(delayMs, callback);
  }

  private assertSound(): void {
    if (this.isBroken) throw new Error('The clock is broken.');
  }
}

test('a clock that throws for a while stops nothing in an application, wherever it is read', async () => {
  const clock = new BreakableClock('2026-03-10T10:00:00Z');
  const ran: number[] = [];
  class Work {
    @Cron('* * * * * *', { id: 'tick' })
    tick(): void {
      ran.push(clock.now());
    }
    @Cron('*/5 * * * * *', { id: 'withdrawn' })
    other(): void {}
  }
  const one = await NestApp.boot({ providers: [Work], clock, chronis: { storage: undefined } });
  one.scheduler.withdrawHandler('Work.other');
  await clock.advanceBy(5_000);
  clock.isBroken = true;
  // What waits for the end of runs, and takes part again, goes by that clock too.
  const offered = one.scheduler.offerHandler('Work.other');
  const waited = one.scheduler.runNow('withdrawn').then(({ id }) => one.scheduler.waitForRun(id));
  await new Promise((resolve) => setImmediate(resolve));
  clock.isBroken = false;
  await clock.advanceBy(30_000);
  await one.passUntil(offered);
  expect((await one.passUntil(waited)).verdict).toBe('succeeded');
  expect(one.heard('engine.failed').every(({ part }) => part === 'clock')).toBe(true);
  expect(one.heard('engine.failed').length).toBeGreaterThan(0);
  await one.close();
  expect(unhandled).toEqual([]);
});

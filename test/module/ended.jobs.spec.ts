import { afterEach, expect, test } from 'vitest';
import { At, Cron, Interval } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

let one: NestApp | null = null;
afterEach(() => one?.app.close());

test('jobs that the code declares and that have ended do not refuse the boot, whatever their kind', async () => {
  const endAt = '2026-01-01T00:00:00Z';
  const ran: string[] = [];
  class Work {
    @Cron('* * * * *', { id: 'cron', endAt })
    @Interval('1m', { id: 'interval', endAt })
    @Interval('1m', { id: 'excluded', endAt, exclude: [{ weekdays: ['wed', 'thu'] }] })
    @Interval('1m', { id: 'delay', endAt, mode: 'fixed-delay' })
    @Interval('1d', { id: 'calendar', endAt, calendar: true })
    @Interval('1m', { id: 'anchored', endAt, anchor: '2025-01-01T00:00:00Z' })
    @Interval('1m', { id: 'begun', endAt, startAt: '2025-01-01T00:00:00Z' })
    work(context: { job: { id: string } }): void {
      ran.push(context.job.id);
    }
    @At('2025-01-01T00:00:00Z', { id: 'at' })
    at(): void {
      ran.push('at');
    }
  }
  const clock = new ManualClock('2026-03-10T10:00:00Z');
  one = await NestApp.boot({ providers: [Work], clock });
  await clock.advanceBy(1);
  await clock.advanceBy(3_600_000);
  const { items } = await one.scheduler.queryJobs({});
  expect(Object.fromEntries(items.map(({ id, state }) => [id, state]))).toEqual(
    Object.fromEntries(items.map(({ id }) => [id, 'completed'])),
  );
  // A one-off runs late rather than not at all.
  expect(ran).toEqual(['at']);
});

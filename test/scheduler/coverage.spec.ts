import { Injectable } from '@nestjs/common';
import { DateTime } from 'luxon';
import { afterEach, describe, expect, test } from 'vitest';
import { InvalidOptionError, JobNotFoundError, type Coverage } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const timeZone = 'Europe/Berlin';

/** When the clocks went forward: what is for a time that does not exist is due then. */
const forward = Date.parse('2026-03-29T01:00:00Z');

/** Each day at this wall time. */
function daily(from: string, days: number, at: { hour: number; minute?: number }): number[] {
  const first = DateTime.fromISO(from, { zone: timeZone });
  return Array.from({ length: days }, (_, nth) => {
    const wall = first.plus({ days: nth }).set(at);
    return wall.hour === at.hour ? wall.toMillis() : forward;
  });
}

@Injectable()
class Nothing {}

describe('the coverage of a job', () => {
  let apps: NestApp[] = [];
  afterEach(async () => {
    for (const app of apps.toReversed()) await app.close();
    apps = [];
  });

  async function boot(clock: ManualClock, before?: NestApp): Promise<NestApp> {
    const app = await NestApp.boot({
      clock,
      providers: [Nothing],
      ...(before && { storage: before.storage }),
    });
    apps.push(app);
    app.scheduler.registerHandler('work', () => undefined);
    return app;
  }

  const atsOf = ({ instants }: Coverage): number[] => instants.map(({ at }) => at.getTime());
  const causesOf = ({ instants }: Coverage): string[] => instants.map(({ cause }) => cause);

  test('has each due instant once, over a pause, a time without any process, a change of the clocks and one of the schedule', async () => {
    const clock = new ManualClock(Date.parse('2026-03-20T12:00:00Z'));
    const first = await boot(clock);
    await first.scheduler.schedule('work', { id: 'nightly', cron: '30 2 * * *', timeZone, misfire: 'skip' });
    await clock.advanceBy(2 * day); // 21 and 22
    await first.scheduler.pauseJob('nightly', { reason: 'audit' });
    await clock.advanceBy(2 * day); // 23 and 24
    await first.scheduler.resumeJob('nightly');
    await clock.advanceBy(day); // 25
    await first.close();
    await clock.advanceBy(3 * day); // 26 to 28
    const second = await boot(clock, first);
    await clock.advanceBy(2 * day); // 29, when 02:30 does not exist, and 30
    const before = await second.scheduler.coverage('nightly', { from: '2026-03-01' });
    expect(atsOf(before)).toEqual(daily('2026-03-21', 10, { hour: 2, minute: 30 }));
    expect(before.unnamed).toBe(0);
    await second.scheduler.runNow('nightly');
    await second.settle();
    await second.scheduler.updateJob('nightly', { cron: '0 6 * * *', timeZone });
    await clock.advanceBy(2 * day); // 31 and 1 April at six
    await second.scheduler.pauseJob('nightly', { reason: 'holiday' });
    const found = await second.scheduler.coverage('nightly', {
      from: '2026-03-01',
      until: '2026-04-04',
    });
    const old = daily('2026-03-21', 10, { hour: 2, minute: 30 });
    // What was missed on the 27th is known as one of three.
    expect(found.unnamed).toBe(1);
    old.splice(6, 1);
    expect(atsOf(found)).toEqual([...old, ...daily('2026-03-31', 4, { hour: 6 })]);
    expect(causesOf(found)).toEqual([
      ...['succeeded', 'succeeded', 'paused', 'paused', 'succeeded'],
      ...['misfire', 'misfire', 'succeeded', 'succeeded'],
      ...['succeeded', 'succeeded', 'paused-job', 'paused-job'],
    ]);
    expect(found.instants.at(-1)).toMatchObject({ answer: 'will-not-run', row: { kind: 'gap' } });
    expect(found).toMatchObject({ jobId: 'nightly', namespace: 'default', isCut: false, isWhole: true });
    for (const { at, answer, cause, sentence } of found.instants) {
      const alone = await second.scheduler.explain('nightly', at);
      expect([alone.answer, alone.cause, alone.sentence]).toEqual([answer, cause, sentence]);
    }
  });

  test('is cut at the limit, the earliest first, and is that of the last day by default', async () => {
    const clock = new ManualClock(Date.parse('2026-03-20T12:00:00Z'));
    const app = await boot(clock);
    await app.scheduler.schedule('work', { id: 'often', every: '10m' });
    await clock.advanceBy(30 * hour);
    const whole = await app.scheduler.coverage('often');
    expect(whole.until.getTime() - whole.from.getTime()).toBe(day);
    expect(whole.instants).toHaveLength(144);
    expect(new Set(causesOf(whole))).toEqual(new Set(['succeeded']));
    const cut = await app.scheduler.coverage('often', { limit: 5 });
    expect(cut).toMatchObject({ isCut: true, instants: whole.instants.slice(0, 5) });
    const exact = await app.scheduler.coverage('often', { limit: 144 });
    expect(exact.isCut).toBe(false);
  });

  test('leaves out what the schedule excludes, and what was before the job', async () => {
    const clock = new ManualClock(Date.parse('2026-03-20T12:00:00Z')); // A Friday
    const app = await boot(clock);
    await app.scheduler.schedule('work', {
      id: 'weekdays',
      cron: '0 9 * * *',
      timeZone: 'UTC',
      exclude: [{ weekdays: ['sat', 'sun'] }],
    });
    await clock.advanceBy(4 * day);
    const found = await app.scheduler.coverage('weekdays', { from: '2026-03-10', until: '2026-03-25' });
    expect(atsOf(found)).toEqual(daily('2026-03-23', 2, { hour: 10 }));
  });

  test('is of what is on record where the job is gone, or has times that depend on its runs', async () => {
    const clock = new ManualClock(Date.parse('2026-03-20T12:00:00Z'));
    const app = await boot(clock);
    await app.scheduler.schedule('work', { id: 'once', in: '1m' });
    await app.scheduler.schedule('work', { id: 'paced', every: '10m', mode: 'fixed-delay' });
    await clock.advanceBy(25 * minute);
    const once = await app.scheduler.coverage('once');
    expect(causesOf(once)).toEqual(['succeeded']);
    const paced = await app.scheduler.coverage('paced', { from: '2026-03-20', until: '2026-03-21' });
    expect(causesOf(paced).slice(0, 2)).toEqual(['succeeded', 'succeeded']);
    expect(paced.instants.at(-1)).toMatchObject({ cause: 'not-yet-due' });
    await app.scheduler.deleteJob('paced');
    const gone = await app.scheduler.coverage('paced');
    expect(atsOf(gone)).toEqual(atsOf(paced).slice(0, -1));
  });

  test('refuses what it cannot look at', async () => {
    const clock = new ManualClock(Date.parse('2026-03-20T12:00:00Z'));
    const { scheduler } = await boot(clock);
    await scheduler.schedule('work', { id: 'a', every: '10m' });
    await expect(scheduler.coverage('none')).rejects.toThrow(JobNotFoundError);
    const refused: [options: object, text: RegExp][] = [
      [{ from: '2026-03-21' }, /^until: must be after "from"/],
      [{ from: '2024-01-01' }, /^until: must be at most 366 days/],
      [{ limit: 0 }, /^limit: must be a whole number from 1 to 10000/],
      [{ form: '2024-01-01' }, /Did you mean "from"/],
    ];
    for (const [options, text] of refused) {
      const asked = scheduler.coverage('a', options);
      await expect(asked).rejects.toThrow(text);
      await expect(asked).rejects.toThrow(InvalidOptionError);
    }
  });
});
